package rollup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/ingesttest"
	"haidang/ingest/journal"
	"haidang/ingest/rollup"
)

// registry has devices that send every five minutes.
type registry struct{}

func (registry) Get(id devices.ID) (*devices.Device, bool) { return &devices.Device{ID: id}, true }

func (registry) Interval(*devices.Device) time.Duration { return 5 * time.Minute }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// house is a journal with its roll-ups, which the test can stop and start.
type house struct {
	t    *testing.T
	dir  string
	j    *journal.Journal
	r    *rollup.Rollups
	stop func()
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir()}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.j, err = journal.Open(context.Background(), filepath.Join(h.dir, "journal")); err != nil {
		h.t.Fatal(err)
	}
	h.r, err = rollup.Open(context.Background(), filepath.Join(h.dir, "rollups.db"), rollup.Options{Journal: h.j, Registry: registry{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.r.Run(ctx) }()
	h.stop = func() {
		cancel()
		<-done
		if err := errors.Join(h.r.Close(), h.j.Close()); err != nil {
			h.t.Error(err)
		}
	}
}

func (h *house) append(es ...ingest.Entry) {
	h.t.Helper()
	if _, err := h.j.Append(context.Background(), es); err != nil {
		h.t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); h.r.Pos() != h.j.Head(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("roll-ups are at %d, the journal at %d", h.r.Pos(), h.j.Head())
		}
	}
}

func (h *house) make() {
	h.t.Helper()
	if err := h.r.Make(context.Background(), time.Now().Add(time.Hour)); err != nil {
		h.t.Fatal(err)
	}
}

func reading(dev devices.ID, at time.Time, vs ...ingest.Value) ingest.Entry {
	return ingest.Entry{Reading: &ingest.Reading{Device: dev, FixTime: at, ReceivedAt: at, Seq: ingest.NoSeq, Values: vs}}
}

func good(x float64) ingest.Value { return ingest.Value{Metric: "pm25", Number: x} }

func TestHourAndDayOfGoodValues(t *testing.T) {
	h := newHouse(t)
	var es []ingest.Entry
	for i := range 9 { // 9 of 12 within the hour
		es = append(es, reading("a", noon.Add(time.Duration(i)*5*time.Minute), good(float64(10+i)), ingest.Value{Metric: "o3", Number: 1, Quality: ingest.Calibrating}))
	}
	es = append(es, reading("a", noon.Add(59*time.Minute), ingest.Value{Metric: "pm25", Number: 9999, Quality: ingest.DeviceError}), reading("a", noon.Add(5*time.Hour), good(100)))
	h.append(es...)
	for _, made := range []bool{false, true} {
		if made {
			h.make()
		}
		hours, err := h.r.Hours(t.Context(), "a", "pm25", noon.Add(-time.Hour), noon.Add(12*time.Hour))
		if err != nil || len(hours) != 2 {
			t.Fatalf("hours %+v, %v", hours, err)
		}
		want := rollup.Bucket{Start: noon, Count: 9, Expected: 12, Mean: 14, Min: 10, Max: 18, Last: 18, Provisional: !made}
		if hours[0] != want || hours[0].Completeness() != 0.75 {
			t.Errorf("made %v: the hour is %+v, want %+v", made, hours[0], want)
		}
		// Noon UTC is 19:00 in Vietnam; 17:00 UTC begins the next day there.
		days, err := h.r.Days(t.Context(), "a", "pm25", noon.Add(-24*time.Hour), noon.Add(48*time.Hour))
		if err != nil || len(days) != 2 || days[0].Count != 9 || days[1].Count != 1 || !days[1].Start.Equal(noon.Add(5*time.Hour)) || days[0].Expected != 288 {
			t.Errorf("made %v: days %+v, %v", made, days, err)
		}
	}
	if hours, err := h.r.Hours(t.Context(), "a", "o3", noon, noon.Add(time.Hour)); err != nil || len(hours) != 0 {
		t.Errorf("values that are not good make %+v, %v", hours, err)
	}
}

// Whatever comes late, twice and in any order, and whenever the program ends:
// what was made equals a fresh computation over all that was stored.
func TestHoursTouchedByLateDataEqualAFreshComputation(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	h := newHouse(t)
	devs := []devices.ID{"a", "b", "c"}
	now := noon
	for range 60 {
		now = now.Add(20 * time.Minute)
		var es []ingest.Entry
		for range 20 {
			at := now.Add(-time.Duration(rnd.IntN(10)*rnd.IntN(10)*rnd.IntN(60)) * time.Minute)
			v := good(float64(rnd.IntN(1000)) / 10)
			v.Quality = ingest.Quality(max(0, rnd.IntN(6)-4))
			es = append(es, reading(devs[rnd.IntN(3)], at, v))
		}
		h.append(es...)
		switch rnd.IntN(6) {
		case 0, 1:
			h.make()
		case 2:
			h.stop()
			h.start()
		case 3: // the journal moves on; its log may be cut behind the roll-ups
			if err := errors.Join(h.j.Settle(t.Context()), h.j.Cut(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
	}
	compare := func(when string) {
		t.Helper()
		fresh, err := rollup.Open(t.Context(), filepath.Join(t.TempDir(), "fresh.db"), rollup.Options{Journal: h.j, Registry: registry{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer fresh.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); fresh.Run(ctx) }()
		defer func() { cancel(); <-done }()
		for fresh.Pos() != h.j.Head() {
			time.Sleep(time.Millisecond)
		}
		if err := fresh.Make(ctx, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, dev := range devs {
			got, err1 := h.r.Hours(ctx, dev, "pm25", noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0))
			want, err2 := fresh.Hours(ctx, dev, "pm25", noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0))
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i].Provisional = false
			}
			if !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("%s: %s has %d hours, a fresh computation %d, or they differ", when, dev, len(got), len(want))
			}
		}
	}
	compare("with hours still to be made")
	h.make()
	compare("all made")
	h.stop()
	h.start()
	compare("after a restart")
}

// A station sends its file again with more symbols, an office revises a figure:
// a time has one value, the newest received, and is counted once.
func TestNewestValueOfATimeCounts(t *testing.T) {
	h := newHouse(t)
	at := func(minute int, came time.Duration, x float64, q ingest.Quality, more ...ingest.Value) ingest.Entry {
		e := reading("a", noon.Add(time.Duration(minute)*time.Minute), append(more, ingest.Value{Metric: "pm25", Number: x, Quality: q})...)
		e.Reading.ReceivedAt = noon.Add(came)
		return e
	}
	h.append(
		at(0, 2*time.Hour, 100, ingest.Good), at(0, 3*time.Hour, 90, ingest.Good, ingest.Value{Metric: "so2", Number: 1}), at(0, time.Hour, 120, ingest.Good),
		at(5, time.Hour, 10, ingest.Good), at(5, time.Hour, 10, ingest.Good, ingest.Value{Metric: "so2", Number: 2}),
		at(10, time.Hour, 999, ingest.Good), at(10, 2*time.Hour, 999, ingest.DeviceError), // withdrawn
		at(70, time.Hour, 5, ingest.Good),
	)
	check := func(when string, want ...rollup.Bucket) {
		t.Helper()
		hours, err := h.r.Hours(t.Context(), "a", "pm25", noon, noon.Add(6*time.Hour))
		points, err2 := h.j.Series(t.Context(), ingest.SeriesQuery{Device: "a", Metric: "pm25", From: noon, To: noon.Add(6 * time.Hour), Window: time.Hour})
		if errors.Join(err, err2) != nil || len(hours) != len(want) || len(points) != len(want) {
			t.Fatalf("%s: hours %+v, the series %+v, want %+v; %v", when, hours, points, want, errors.Join(err, err2))
		}
		for i, w := range want {
			if b, p := hours[i], points[i]; b.Count != w.Count || b.Mean != w.Mean || p.Count != w.Count || p.Mean != w.Mean || b.Last != p.Last {
				t.Errorf("%s: hour %d is %+v, the series %+v, want %+v", when, i, b, p, w)
			}
		}
	}
	check("at once", rollup.Bucket{Count: 2, Mean: 50}, rollup.Bucket{Count: 1, Mean: 5})
	h.make()
	check("made", rollup.Bucket{Count: 2, Mean: 50}, rollup.Bucket{Count: 1, Mean: 5})
	if err := h.j.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.append(at(70, 5*time.Hour, 5, ingest.Calibrating))
	h.make()
	check("when an hour lost its only value", rollup.Bucket{Count: 2, Mean: 50})
	if err := h.j.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("on the shelf", rollup.Bucket{Count: 2, Mean: 50})
}

func TestOldHoursGo(t *testing.T) {
	h := newHouse(t)
	h.append(reading("a", noon.AddDate(-6, 0, 0), good(1)), reading("a", noon.AddDate(-7, 0, 0), good(1)), reading("b", noon.AddDate(-6, 0, 0), good(1)), reading("a", noon, good(2)))
	h.make()
	x := rollup.Expiry{Before: noon.AddDate(-5, 0, 0), Held: func(d devices.ID, _, _ int64) bool { return d == "b" }}
	var would, did int64
	if err := h.r.WouldExpire(t.Context(), x, func(e rollup.Expired) { would += e.Hours }); err != nil {
		t.Fatal(err)
	}
	if err := h.r.Expire(t.Context(), x, func(e rollup.Expired) error { did += e.Hours; return nil }); err != nil {
		t.Fatal(err)
	}
	if would != 2 || did != 2 {
		t.Errorf("said %d, removed %d, want 2", would, did)
	}
	for dev, want := range map[devices.ID]float64{"a": 2, "b": 1} {
		hours, err := h.r.Hours(t.Context(), dev, "pm25", noon.AddDate(-10, 0, 0), noon.AddDate(1, 0, 0))
		if err != nil || len(hours) != 1 || hours[0].Last != want {
			t.Errorf("left of %s are %+v, %v", dev, hours, err)
		}
	}
}

// A reading that comes after those of its hour were removed does not spoil the
// hour; where there is none, it makes one.
func TestHourWhoseReadingsWereRemovedStays(t *testing.T) {
	h := newHouse(t)
	long := noon.AddDate(0, 0, -100)
	h.append(reading("a", long, good(10)), reading("a", long.Add(5*time.Minute), good(20)))
	h.make()
	if err := h.j.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := h.j.Expire(t.Context(), journal.Expiry{Before: func(devices.ID) time.Time { return noon.AddDate(0, 0, -90) }}, func(journal.Expired) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	h.append(reading("a", long.Add(10*time.Minute), good(1000)), reading("a", long.Add(3*time.Hour), good(7)))
	h.make()
	hours, err := h.r.Hours(t.Context(), "a", "pm25", long.Add(-time.Hour), long.Add(12*time.Hour))
	if err != nil || len(hours) != 2 || hours[0].Mean != 15 || hours[1].Mean != 7 {
		t.Errorf("%+v, %v", hours, err)
	}
}

// Held to the contract of history, with everything made and with nothing.
func TestRollupsAnswerHistory(t *testing.T) {
	for _, made := range []bool{true, false} {
		t.Run(fmt.Sprint("made ", made), func(t *testing.T) {
			ingesttest.RunHistoryTests(t, func(t *testing.T, readings []ingest.Reading) ingest.History {
				h := newHouse(t)
				var es []ingest.Entry
				for i := range readings {
					es = append(es, ingest.Entry{Reading: &readings[i]})
				}
				h.append(es...)
				if made {
					h.make()
				}
				return rollup.History{History: h.j, Rollups: h.r}
			})
		})
	}
}
