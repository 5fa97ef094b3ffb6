package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

var t0 = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := OpenWith(context.Background(), dir, Options{Chained: isVessel})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// isVessel says whose runs are chained in tests.
func isVessel(id devices.ID) bool { return strings.HasPrefix(string(id), "Tàu") }

func reading(dev string, at time.Time, seq int64, pm25 float64) ingest.Entry {
	return ingest.Entry{Reading: &ingest.Reading{Device: devices.ID(dev), FixTime: at, ReceivedAt: at.Add(time.Second), Seq: seq,
		Position: &devices.Position{Lat: 17.468, Lon: 106.622},
		Values:   []ingest.Value{{Metric: "pm25", Number: pm25}, {Metric: "o3", Number: 12.125, Quality: ingest.Calibrating}}}}
}

func appendAll(t testing.TB, j *Journal, es ...ingest.Entry) []bool {
	t.Helper()
	stored, err := j.Append(context.Background(), es)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

var errEnough = errors.New("enough")

// collect follows from after until n entries came or a second passed.
func collect(t testing.TB, j *Journal, after ingest.Pos, n int) []ingest.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var got []ingest.Entry
	err := j.Follow(ctx, after, 7, func(_ context.Context, b []ingest.Entry) error {
		got = append(got, b...)
		if len(got) >= n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("followed %d of %d entries: %v", len(got), n, err)
	}
	return got
}

func TestStoresEachEntryOnce(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	same := func() []ingest.Entry {
		return []ingest.Entry{
			reading("a", t0, 1, 10), reading("a", t0, 2, 10), // one instant, two numbers
			reading("a", t0, ingest.NoSeq, 10), reading("a", t0, ingest.NoSeq, 11), // no number: content counts
			reading("b", t0.Add(-30*24*time.Hour), 1, 10), // another file
			{Event: &ingest.Event{Device: "a", FixTime: t0, ReceivedAt: t0, Type: "red_light", Data: []byte(`{"lane":2}`)}},
		}
	}
	if got := appendAll(t, j, same()...); fmt.Sprint(got) != "[true true true true true true]" {
		t.Fatalf("first time: %v", got)
	}
	if got := appendAll(t, j, same()...); fmt.Sprint(got) != "[false false false false false false]" {
		t.Fatalf("again: %v", got)
	}
	j.Close()
	j = open(t, dir)
	if got := appendAll(t, j, same()...); fmt.Sprint(got) != "[false false false false false false]" {
		t.Fatalf("after reopening: %v", got)
	}
	got := collect(t, j, 0, 6)
	if ev := got[5].Event; ev == nil || ev.Type != "red_light" || string(ev.Data) != `{"lane":2}` {
		t.Errorf("event came back as %+v", ev)
	}
	r := got[0].Reading
	if r.Seq != 1 || !r.FixTime.Equal(t0) || r.Values[1] != (ingest.Value{Metric: "o3", Number: 12.125, Quality: ingest.Calibrating}) || *r.Position != (devices.Position{Lat: 17.468, Lon: 106.622}) {
		t.Errorf("reading came back as %+v", r)
	}
	if got[2].Reading.Seq != ingest.NoSeq {
		t.Errorf("a missing sequence came back as %d", got[2].Reading.Seq)
	}
}

func TestFollowGivesEveryEntryInOrder(t *testing.T) {
	j := open(t, t.TempDir())
	const n = 40_000 // more than memory keeps
	go func() {
		for i := 0; i < n; i += 1000 {
			es := make([]ingest.Entry, 1000)
			for k := range es {
				at := t0.Add(time.Duration(i+k) * time.Second)
				if k%100 == 0 {
					at = at.Add(-20 * 24 * time.Hour)
				}
				es[k] = reading("a", at, int64(i+k), 1)
			}
			if _, err := j.Append(context.Background(), es); err != nil {
				panic(err)
			}
		}
	}()
	got := collect(t, j, 0, n)
	for i, e := range got {
		if e.Reading.Seq != int64(i) {
			t.Fatalf("entry %d has sequence %d", i, e.Reading.Seq)
		}
	}
	late := collect(t, j, got[n-100].Pos, 99)
	if late[0].Pos != got[n-99].Pos {
		t.Errorf("resumed at %d, want %d", late[0].Pos, got[n-99].Pos)
	}
}

// A reader that comes after the log was cut is told; one that runs is waited for.
func TestLogIsCutBehindItsReaders(t *testing.T) {
	j := open(t, t.TempDir())
	for i := range int64(30) {
		appendAll(t, j, reading("a", t0.Add(time.Duration(i)*time.Second), i, 1))
	}
	j.recent = nil // as after a restart
	settle(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	at, standing, left := make(chan ingest.Pos, 30), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		j.Follow(ctx, 0, 10, func(ctx context.Context, es []ingest.Entry) error {
			at <- es[0].Pos
			select {
			case <-standing:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
	}()
	if first := <-at; first != 1 {
		t.Fatalf("began at %d", first)
	}
	if err := j.cut(t.Context(), j.slowest()); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, j, 0, 30); len(got) != 30 {
		t.Errorf("followed %d while a reader stands at the beginning", len(got))
	}
	cancel()
	<-left
	if err := j.cut(t.Context(), j.slowest()); err != nil {
		t.Fatal(err)
	}
	if err := j.Follow(t.Context(), 0, 10, nil); !errors.Is(err, ingest.ErrCut) {
		t.Errorf("following what was cut: %v", err)
	}
	if n := j.Behind(0); n != 30 {
		t.Errorf("behind by %d, want 30", n)
	}
	if got := appendAll(t, j, reading("a", t0, 0, 1), reading("a", t0, 30, 1)); got[0] || !got[1] {
		t.Errorf("after the cut: %v", got)
	}
	if got := collect(t, j, 30, 1); got[0].Reading.Seq != 30 || got[0].Pos != 31 {
		t.Errorf("after the cut: %+v", got[0])
	}
}

func settle(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 5000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			j := open(b, b.TempDir())
			es := make([]ingest.Entry, size)
			n := 0
			for b.Loop() {
				for k := range es {
					n++
					es[k] = reading(fmt.Sprintf("bench-%06d", n%1000), t0.Add(time.Duration(n)*time.Millisecond), int64(n), float64(n%1000)/10)
				}
				appendAll(b, j, es...)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

// While entries come, settle and are joined, whoever asks sees each entry that
// was stored before the question, once.
func TestQuestionsAreRightWhileTheJournalIsKept(t *testing.T) {
	j := open(t, t.TempDir())
	const n = 4000
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			if err := errors.Join(j.Settle(ctx), j.Join(ctx, t0.Add(9*24*time.Hour)), j.cut(ctx, j.slowest())); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	var stored atomic.Int64
	done.Go(func() {
		for i := int64(0); i < n && ctx.Err() == nil; i += 10 {
			var es []ingest.Entry
			for k := range int64(10) {
				es = append(es, reading("a", t0.Add(time.Duration((i+k)*37%n)*time.Minute), i+k, 1))
			}
			if _, err := j.Append(ctx, es); err != nil {
				t.Error(err)
			}
			stored.Add(10)
		}
	})
	for at := int64(0); at < n; {
		at = stored.Load()
		rs, _, err := j.Readings(ctx, ingest.ReadingsQuery{Device: "a", From: t0, To: t0.Add(n * time.Minute), Limit: n})
		if err != nil || int64(len(rs)) < at {
			t.Fatalf("%d readings after %d were stored: %v", len(rs), at, err)
		}
		for i := 1; i < len(rs); i++ {
			if !rs[i-1].FixTime.Before(rs[i].FixTime) {
				t.Fatalf("%s follows %s", rs[i].FixTime, rs[i-1].FixTime)
			}
		}
	}
	stop()
	done.Wait()
}

// What was acknowledged in vain comes again in thousands, of devices that said
// more than can be remembered at once: the journal must not read it all anew for
// each.
func BenchmarkDuplicatesOfBusyDevices(b *testing.B) {
	j, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	const busy, each = 10, 80_000
	begin := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	batch := func(from, n int) (es []ingest.Entry) {
		for k := from; k < from+n; k++ {
			for d := range busy {
				es = append(es, ingest.Entry{Reading: &ingest.Reading{Device: devices.ID(fmt.Sprintf("busy-%d", d)), Seq: int64(k + 1),
					FixTime: begin.Add(time.Duration(k) * 2 * time.Millisecond), ReceivedAt: time.Now(), Values: []ingest.Value{{Metric: "n", Number: float64(k)}}}})
			}
		}
		return es
	}
	for k := 0; k < each; k += 1000 {
		if _, err := j.Append(b.Context(), batch(k, 1000)); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Settle(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		stored, err := j.Append(b.Context(), batch(each/2, 25))
		if err != nil || slices.Contains(stored, true) {
			b.Fatal("stored again, or ", err)
		}
	}
}
