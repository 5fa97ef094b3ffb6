package health

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
)

var t0 = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func TestIntervalIsLearnedWithinBounds(t *testing.T) {
	const declared = 2 * time.Hour
	repeat := func(n int, gaps ...time.Duration) (all []time.Duration) {
		for range n {
			all = append(all, gaps...)
		}
		return all
	}
	for _, c := range []struct {
		name     string
		declared time.Duration
		gaps     []time.Duration
		want     time.Duration
		learned  bool
	}{
		{"nothing known", declared, nil, declared, false},
		{"too little known", declared, repeat(warmUp-1, 5*time.Hour), declared, false},
		{"a slow network", declared, repeat(4, 3*time.Hour, 5*time.Hour, 8*time.Hour), 5 * time.Hour, true},
		{"as declared", declared, repeat(12, declared), declared, false},
		{"faster than declared", declared, repeat(12, time.Hour), declared, false},
		{"a backlog says nothing", declared, append(repeat(12, 5*time.Hour), repeat(500, 2*time.Second)...), 5 * time.Hour, true},
		{"outages do not count", declared, append(repeat(8, declared), repeat(4, 30*24*time.Hour)...), declared, false},
		{"not beyond eight times", time.Minute, repeat(12, time.Hour), 8 * time.Minute, true},
		{"a gap too long to be held", declared, repeat(12, 100*24*time.Hour), 8 * declared, true},
		{"nothing declared", 0, repeat(12, 10*time.Minute), 10 * time.Minute, true},
		{"nothing declared and nothing known", 0, nil, 0, false},
	} {
		var r Rhythm
		for _, g := range c.gaps {
			r.Take(g, c.declared)
		}
		got, learned := (Expectation{Interval: c.declared}).Effective(&r)
		if got != c.want || learned != c.learned {
			t.Errorf("%s: %s (learned %t), want %s (%t)", c.name, got, learned, c.want, c.learned)
		}
		if got, _ := (Expectation{c.declared, devices.Event}).Effective(&r); got != 0 {
			t.Errorf("%s: a device of events is held to %s", c.name, got)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		interval, age time.Duration
		want          devices.Freshness
	}{
		{time.Minute, 90 * time.Second, devices.Live}, {time.Minute, 91 * time.Second, devices.Late},
		{time.Minute, 3 * time.Minute, devices.Late}, {time.Minute, 3*time.Minute + 1, devices.Silent},
		{time.Minute, 24 * time.Hour, devices.Silent}, {time.Minute, 24*time.Hour + 1, Dead},
		{time.Hour, 120 * time.Hour, devices.Silent}, {time.Hour, 120*time.Hour + 1, Dead},
		{2 * time.Hour, 10 * 24 * time.Hour, devices.Silent}, {2 * time.Hour, 10*24*time.Hour + 1, Dead}, // vessels: 10 days
		{0, 1000 * time.Hour, devices.Live},
	} {
		if got := Judge(t0, t0.Add(-c.age), c.interval); got != c.want {
			t.Errorf("every %s, %s ago: %s, want %s", c.interval, c.age, got, c.want)
		}
	}
	if got := Judge(t0, time.Time{}, time.Minute); got != devices.Never {
		t.Errorf("one that never spoke is %s", got)
	}
	for _, c := range []struct {
		connection string
		age        time.Duration
		last       time.Time
		want       devices.Freshness
	}{
		{"online", 0, t0.Add(-999 * time.Hour), devices.Live}, {"unknown", 0, t0, devices.Live}, {"unknown", 0, time.Time{}, devices.Never},
		{"offline", time.Hour, t0, devices.Silent}, {"offline", 25 * time.Hour, t0, Dead},
	} {
		if got := JudgeConnection(t0, c.connection, t0.Add(-c.age), c.last); got != c.want {
			t.Errorf("%s for %s: %s, want %s", c.connection, c.age, got, c.want)
		}
	}
}

// Availability is of the time in which we listened and the device was there.
func TestAvailability(t *testing.T) {
	h := func(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Hour))) }
	r := Record{Window: Span{h(0), h(24)}, Listened: []Span{{h(0), h(10)}, {h(12), h(24)}}, Outages: map[devices.ID][]Outage{
		"in":      {{"in", h(1), h(2), h(4)}},
		"before":  {{"before", h(-9), h(-8), h(3)}},
		"deaf":    {{"deaf", h(9.5), h(10), h(12)}},
		"through": {{"through", h(8), h(9), h(13)}},
		"young":   {{"young", h(1), h(2), h(4)}},
	}}
	for _, c := range []struct {
		id            devices.ID
		created, due  time.Time
		counted, lost float64
	}{
		{"fine", h(-100), time.Time{}, 22, 0},
		{"in", h(-100), time.Time{}, 22, 2},
		{"before", h(-100), time.Time{}, 22, 3},
		{"deaf", h(-100), time.Time{}, 22, 0},
		{"through", h(-100), time.Time{}, 22, 2},
		{"silent", h(-100), h(20), 22, 4},
		{"silent for long", h(-100), h(-50), 22, 22},
		{"young", h(3), time.Time{}, 19, 1},
		{"tomorrow", h(30), time.Time{}, 0, 0},
	} {
		a := r.Of(c.id, c.created, c.due)
		if a.Counted.Hours() != c.counted || a.Lost.Hours() != c.lost {
			t.Errorf("%s: %.1f of %.1f hours lost, want %.1f of %.1f", c.id, a.Lost.Hours(), a.Counted.Hours(), c.lost, c.counted)
		}
		share, ok := a.Share()
		if ok != (c.counted > 0) || ok && share != 1-c.lost/c.counted {
			t.Errorf("%s: share %g %t", c.id, share, ok)
		}
	}
}

func TestStoreKeepsOutagesAndWhenWeListened(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "state.db")
	open := func() *Store {
		db, err := statedb.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s, err := Open(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	min := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := open()
	for n := range 11 {
		must(s.Listen(ctx, min(n)))
	}
	must(s.Listen(ctx, min(20))) // the broker was away
	must(s.Listen(ctx, min(21)))
	s = open() // the program was
	must(s.Listen(ctx, min(21).Add(time.Second)))
	must(s.Listen(ctx, min(22)))
	os := []Outage{{"a", min(1), min(2), min(8)}, {"b", min(10), min(11), min(19)}, {"a", min(9), min(10), min(21)}}
	must(s.Add(ctx, os))
	must(s.Add(ctx, os[:1])) // as after a kill
	r, err := s.Record(ctx, Span{min(5), min(60)}, "")
	must(err)
	listened := time.Duration(0)
	for _, x := range r.Listened {
		listened += x.Length()
	}
	if len(r.Listened) != 3 || listened != 6*time.Minute+59*time.Second {
		t.Errorf("listened %s in %v", listened, r.Listened)
	}
	if len(r.Outages["a"]) != 2 || len(r.Outages["b"]) != 0 { // b's was ours
		t.Errorf("outages are %v", r.Outages)
	}
	if a := r.Of("a", t0.AddDate(-1, 0, 0), time.Time{}); a.Lost != 4*time.Minute {
		t.Errorf("a lost %s", a.Lost)
	}
	one, err := s.Record(ctx, Span{min(0), min(60)}, "b")
	must(err)
	if len(one.Outages) != 0 {
		t.Errorf("asked of b: %v", one.Outages)
	}
	must(s.Listen(ctx, min(3))) // the clock was set back: nothing counts twice
	must(s.Listen(ctx, min(4)))
	if r, err := s.Record(ctx, Span{min(0), min(10)}, ""); err != nil || len(r.Listened) != 1 || r.Listened[0].Length() != 10*time.Minute {
		t.Errorf("with a clock set back: %v, %v", r.Listened, err)
	}
	must(s.DropBefore(ctx, min(20)))
	r, err = s.Record(ctx, Span{min(0), min(60)}, "")
	must(err)
	if len(r.Outages["a"]) != 1 || len(r.Listened) != 2 {
		t.Errorf("after dropping: %v, %v", r.Outages, r.Listened)
	}
}
