package engine

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/health"
	"haidang/devices/statedb"
	"haidang/devices/statedb/statedbtest"
	"haidang/ingest"
	"haidang/ingest/journal"
)

var t0 = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

type seen map[devices.ID]time.Time

func (s seen) LastSeen(id devices.ID) time.Time { return s[id] }

type bench struct {
	*Engine
	t     *testing.T
	store *alerts.Store
	reg   *devices.Registry
	rules []rules.Rule
	seen  seen
	// traits of devices; nil: the plain ones.
	traits func(*devices.Device) health.Traits
	// journal is a real one: late data is judged from it.
	journal *journal.Journal
	kept    []ingest.Entry
}

func newBench(t *testing.T, ruleYAML string) *bench {
	t.Helper()
	ctx := context.Background()
	db := statedbtest.Open(t)
	log, err := changelog.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, seen: seen{}}
	if b.store, err = alerts.NewStore(ctx, db, log); err != nil {
		t.Fatal(err)
	}
	if b.reg, err = devices.NewRegistry(ctx, db); err != nil {
		t.Fatal(err)
	}
	if err := b.reg.Upsert(ctx, []devices.Device{{ID: "a", Type: "air_station", Name: "Trạm A"}, {ID: "v", Type: "fishing_vessel"}}); err != nil {
		t.Fatal(err)
	}
	if b.journal, err = journal.Open(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.journal.Close() })
	if b.rules, err = rules.Parse("test", []byte(ruleYAML)); err != nil {
		t.Fatal(err)
	}
	b.restart()
	return b
}

// restart loads the engine anew, as after a kill.
func (b *bench) restart() {
	b.t.Helper()
	e, err := New(context.Background(), Options{Store: b.store, Rules: b.rules, Registry: b.reg, Seen: b.seen, History: b.journal, Traits: b.traits, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Engine = e
	if b.kept != nil {
		if err := b.Take(context.Background(), b.kept); err != nil { // as Run does from where it stopped
			b.t.Fatal(err)
		}
	}
}

// take keeps entries in the journal and judges those that are new.
func (b *bench) take(es ...ingest.Entry) {
	b.t.Helper()
	stored, err := b.journal.Append(context.Background(), es)
	if err != nil {
		b.t.Fatal(err)
	}
	var fresh []ingest.Entry
	for i := range es {
		if stored[i] {
			fresh = append(fresh, es[i])
		}
	}
	b.kept = append(b.kept, fresh...)
	if err := b.Take(context.Background(), fresh); err != nil {
		b.t.Fatal(err)
	}
}

// review lets the clock find what late data changed in the past.
func (b *bench) review() {
	b.t.Helper()
	if err := b.judgePast(context.Background(), time.Now().Add(time.Hour)); err != nil {
		b.t.Fatal(err)
	}
	if len(b.late) != 0 {
		b.t.Errorf("%d spans wait after the review", len(b.late))
	}
}

func pm(minute int, x float64) ingest.Entry {
	return ingest.Entry{Reading: &ingest.Reading{Device: "a", FixTime: t0.Add(time.Duration(minute) * time.Minute), Values: []ingest.Value{{Metric: "pm25", Number: x}}}}
}

// story tells all alerts, oldest first.
func (b *bench) story() (s []string) {
	b.t.Helper()
	as, _, err := b.store.List(context.Background(), alerts.Filter{})
	if err != nil {
		b.t.Fatal(err)
	}
	for i := len(as) - 1; i >= 0; i-- {
		a := as[i]
		line := fmt.Sprintf("%s %s %d", a.Rule, a.State, int(a.StartedAt.Sub(t0).Minutes()))
		if a.ClearedAt != nil {
			line += fmt.Sprintf("-%d", int(a.ClearedAt.Sub(t0).Minutes()))
		}
		if a.Late {
			line += " late"
		}
		s = append(s, line)
	}
	return s
}

func (b *bench) want(lines ...string) {
	b.t.Helper()
	if got := b.story(); fmt.Sprint(got) != fmt.Sprint(lines) {
		b.t.Errorf("alerts are\n%q, want\n%q", got, lines)
	}
}

const head = "- id: r\n  name: {vi: a, en: a}\n  severity: critical\n"
const pmRule = head + "  device_type: air_station\n  kind: threshold\n  metric: pm25\n  above: 150\n  clear: 120\n"

func TestThresholdHasItsOwnClearValue(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(0, 150), pm(5, 151))
	b.want("r open 5")
	b.take(pm(10, 130), pm(15, 160))
	b.want("r open 5")
	b.take(pm(20, 119))
	b.want("r closed 5-20")
	b.take(pm(25, 200))
	b.want("r closed 5-20", "r open 25")
}

func TestThresholdWaitsForItsTime(t *testing.T) {
	b := newBench(t, pmRule+"  for: 10m\n")
	b.take(pm(0, 200), pm(5, 200), pm(8, 100), pm(10, 200))
	b.want()
	b.take(pm(15, 200))
	b.restart() // in the middle of waiting
	b.take(pm(20, 200))
	b.want("r open 10")
}

func TestOnlyGoodValuesAreJudged(t *testing.T) {
	b := newBench(t, pmRule)
	e := pm(0, 900)
	e.Reading.Values[0].Quality = ingest.Calibrating
	b.take(e)
	b.want()
}

func TestSameReadingsAgainChangeNothing(t *testing.T) {
	b := newBench(t, pmRule)
	es := []ingest.Entry{pm(0, 200), pm(5, 100), pm(10, 200)}
	b.take(es...)
	b.restart()
	if err := b.Take(context.Background(), es); err != nil { // the same positions
		t.Fatal(err)
	}
	again := pm(10, 200) // the same once more at a new position
	again.Pos = es[2].Pos + 1
	if err := b.Take(context.Background(), []ingest.Entry{again}); err != nil {
		b.t.Fatal(err)
	}
	b.review()
	b.want("r closed 0-5", "r open 10")
}

func TestAcknowledgementOutlivesTheClearing(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(0, 200))
	as, _, _ := b.store.List(context.Background(), alerts.Filter{})
	a, err := b.store.Ack(context.Background(), as[0].ID, "Lan", "")
	if err != nil || a.AckedBy != "Lan" {
		t.Fatalf("acknowledged: %+v %v", a, err)
	}
	if again, err := b.store.Ack(context.Background(), a.ID, "Minh", ""); err != nil || again.AckedBy != "Lan" || again.Seq != a.Seq {
		t.Errorf("acknowledged again: %+v %v", again, err)
	}
	b.take(pm(5, 10))
	if a, _ = b.store.Get(context.Background(), a.ID); a.AckedBy != "Lan" || a.State != alerts.Closed {
		t.Errorf("after clearing: %+v", a)
	}
}

func TestAbsence(t *testing.T) {
	b := newBench(t, head+"  device_type: air_station\n  kind: absence\n  intervals: 3\n")
	ctx := context.Background()
	b.began = t0
	b.Tick(ctx, t0.Add(time.Hour))
	b.want() // it never spoke
	b.seen["a"] = t0.Add(-time.Hour)
	b.Tick(ctx, t0.Add(15*time.Minute))
	b.want() // we were not listening before t0
	b.Tick(ctx, t0.Add(16*time.Minute))
	b.want("r open -60")
	b.Tick(ctx, t0.Add(20*time.Minute))
	b.seen["a"] = t0.Add(21 * time.Minute)
	b.Tick(ctx, t0.Add(22*time.Minute))
	b.want("r closed -60-21")
	// One that is taken out of service may be silent.
	b.Tick(ctx, t0.Add(60*time.Minute))
	b.want("r closed -60-21", "r open 21")
	if _, err := b.reg.SetLife(ctx, "a", devices.Suspended, "đang sửa"); err != nil {
		t.Fatal(err)
	}
	b.Tick(ctx, t0.Add(61*time.Minute))
	b.Tick(ctx, t0.Add(90*time.Minute))
	b.want("r closed -60-21", "r closed 21-61")
}

func TestGeofence(t *testing.T) {
	b := newBench(t, head+"  device_type: fishing_vessel\n  kind: geofence\n  on: enter\n  polygon: [[108, 17], [109, 17], [109, 18], [108, 18]]\n")
	at := func(minute int, lon float64) ingest.Entry {
		return ingest.Entry{Reading: &ingest.Reading{Device: "v", FixTime: t0.Add(time.Duration(minute) * time.Minute), Position: &devices.Position{Lat: 17.5, Lon: lon}}}
	}
	b.take(at(0, 108.5)) // found inside: it did not enter
	b.want()
	b.take(at(10, 107.5), at(20, 108.2))
	b.want("r open 20")
	b.take(at(15, 107)) // an old fix
	b.want("r open 20")
	b.take(at(30, 109.5))
	b.want("r closed 20-30")
	b.take(at(26, 107), at(28, 108.5)) // out and in again, told late
	b.review()
	b.want("r closed 20-30")
	b.take(at(40, 109.6), at(36, 108.9))
	b.review()
	b.want("r closed 20-30", "r closed 36-40 late")
}

func BenchmarkTakeWithoutChange(b *testing.B) {
	es := make([]ingest.Entry, 5000)
	bb := benchFor(b)
	n := 0
	for b.Loop() {
		for i := range es {
			n++
			es[i] = pm(n/1000, 10)
			es[i].Pos = ingest.Pos(n)
		}
		if err := bb.Take(context.Background(), es); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/reading")
}

func benchFor(b *testing.B) *Engine {
	ctx := context.Background()
	db, err := statedb.Open(filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	log, _ := changelog.Open(ctx, db)
	store, _ := alerts.NewStore(ctx, db, log)
	reg, _ := devices.NewRegistry(ctx, db)
	reg.Upsert(ctx, []devices.Device{{ID: "a", Type: "air_station"}})
	rs, _ := rules.Parse("test", []byte(pmRule))
	e, err := New(ctx, Options{Store: store, Rules: rs, Registry: reg, Seen: seen{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	return e
}
