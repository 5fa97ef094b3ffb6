package journal

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// model is what a journal must hold, kept in the plainest way.
type model struct {
	by    map[batchKey]ingest.Entry
	order []string // texts by position
}

// Whatever comes in whatever order, late, twice, by whatever days and devices,
// and whenever the journal settles, joins, cuts or is killed: it holds each
// entry once, in order of time and of arrival.
func TestJournalHoldsWhatAModelHolds(t *testing.T) {
	rounds := uint64(3)
	if testing.Short() {
		rounds = 1
	}
	for seed := range rounds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { againstModel(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func againstModel(t *testing.T, rnd *rand.Rand) {
	dir := t.TempDir()
	j := open(t, dir)
	m := model{by: map[batchKey]ingest.Entry{}}
	now, cutTo := t0, 0
	devs := []devices.ID{"a", "b", "Tàu-1"}
	for step := range 200 {
		now = now.Add(time.Duration(rnd.IntN(40)) * time.Minute)
		switch what := rnd.IntN(20); {
		case what < 14:
			var es []ingest.Entry
			for range 1 + rnd.IntN(30) {
				at := now
				if rnd.IntN(3) == 0 { // late, up to weeks
					at = at.Add(-time.Duration(math.Exp(rnd.Float64()*14.5)) * time.Second)
				}
				at = at.Truncate(time.Duration(1+rnd.IntN(1000)) * time.Second)
				es = append(es, randomEntry(rnd, devs[rnd.IntN(len(devs))], at.UnixMilli()))
				if rnd.IntN(4) == 0 { // one that was sent before
					for _, e := range m.by {
						es = append(es, e)
						break
					}
				}
			}
			m.append(t, j, es)
		case what == 14:
			settle(t, j)
		case what == 15:
			if err := j.Join(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		case what == 16:
			// As if killed between the shelves' commit and the log's.
			settled := j.settledTo()
			settle(t, j)
			if _, err := j.log.write.Exec(`UPDATE place SET settled=?`, int64(settled)); err != nil {
				t.Fatal(err)
			}
			j = reopen(t, j, dir)
		case what == 17:
			j = reopen(t, j, dir)
		case what == 18:
			if err := j.cut(t.Context(), j.slowest()); err != nil {
				t.Fatal(err)
			}
			cutTo = int(j.settledTo())
		default:
			m.check(t, j, rnd, devs, cutTo, step)
		}
	}
	m.check(t, j, rnd, devs, cutTo, -1)
	settle(t, j)
	if err := j.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if faults, sum := verifyTracks(t, dir, j.TrackHeads()); len(faults) > 0 || sum.Vessels != 1 || sum.Unsealed != 0 {
		t.Errorf("the vessel's chain: %v, %+v", faults, sum)
	}
}

// reopen opens a copy, as a kill leaves the files: without closing.
func reopen(t *testing.T, j *Journal, dir string) *Journal {
	t.Helper()
	copied := t.TempDir()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, filepath.Base(f)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(copied, dir); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func (m *model) append(t *testing.T, j *Journal, es []ingest.Entry) {
	t.Helper()
	want := make([]bool, len(es))
	for i := range es {
		k := batchKey{deviceOf(&es[i]), identify(&es[i])}
		if _, there := m.by[k]; !there {
			want[i] = true
			m.by[k] = es[i]
			m.order = append(m.order, text(&es[i]))
		}
	}
	got, err := j.Append(context.Background(), es)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("stored %v, want %v; %v", got, want, err)
	}
}

func (m *model) check(t *testing.T, j *Journal, rnd *rand.Rand, devs []devices.ID, cutTo, step int) {
	t.Helper()
	if int(j.Head()) != len(m.order) {
		t.Fatalf("step %d: head is %d, want %d", step, j.Head(), len(m.order))
	}
	for _, dev := range devs {
		from := t0.Add(-time.Duration(rnd.IntN(30*24)) * time.Hour)
		to := from.Add(time.Duration(rnd.IntN(40*24)) * time.Hour)
		if rnd.IntN(2) == 0 {
			from, to = time.Unix(0, 0), t0.AddDate(1, 0, 0)
		}
		m.checkDevice(t, j, dev, from, to, 1+rnd.IntN(400), step)
	}
	after := cutTo + rnd.IntN(max(1, len(m.order)-cutTo))
	if after == len(m.order) {
		return
	}
	for i, e := range collect(t, j, ingest.Pos(after), len(m.order)-after) {
		if int(e.Pos) != after+i+1 || text(&e) != m.order[after+i] {
			t.Fatalf("step %d: position %d is %s, want %s", step, e.Pos, text(&e), m.order[after+i])
		}
	}
}

func (m *model) checkDevice(t *testing.T, j *Journal, dev devices.ID, from, to time.Time, limit, step int) {
	t.Helper()
	keys := slices.SortedFunc(maps.Keys(m.by), func(a, b batchKey) int { return a.id.compare(b.id) })
	var want, got []string
	var all []ingest.Entry
	for _, k := range keys {
		e := m.by[k]
		if at := fixTime(&e); k.device == dev && k.id.kind == kindReading && !at.Before(from) && at.Before(to) {
			want = append(want, text(&e))
			all = append(all, e)
		}
	}
	q := ingest.ReadingsQuery{Device: dev, From: from, To: to, Limit: limit}
	for pages := 0; ; pages++ {
		rs, next, err := j.Readings(t.Context(), q)
		if err != nil || pages > len(want) {
			t.Fatalf("step %d: page %d: %v", step, pages, err)
		}
		for i := range rs {
			got = append(got, text(&ingest.Entry{Reading: &rs[i]}))
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("step %d: %s from %s to %s has %d readings, want %d", step, dev, from, to, len(got), len(want))
	}
	w := windows{size: 3600_000}
	for _, s := range entrySamples(all, "pm25") {
		w.add(s.ts, s.number)
	}
	points, err := j.Series(t.Context(), ingest.SeriesQuery{Device: dev, Metric: "pm25", From: from, To: to, Window: time.Hour})
	if err != nil || !slices.Equal(points, w.points) {
		t.Fatalf("step %d: the series of %s has %d points, want %d; %v", step, dev, len(points), len(w.points), err)
	}
}
