package retention

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

const why = "theo đề nghị của Sở, văn bản 12"

func open(t *testing.T, path string, o Options) (*Store, *audit.Log, *sql.DB) {
	t.Helper()
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), db, log, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, log, db
}

func fresh(t *testing.T, o Options) (*Store, *audit.Log) {
	s, log, _ := open(t, filepath.Join(t.TempDir(), "state.db"), o)
	return s, log
}

func TestPeriods(t *testing.T) {
	for text, want := range map[string]string{"P90D": "P90D", "P36M": "P36M", "P3Y": "P36M", "P60M": "P5Y", "P5Y": "P5Y", "P7M": "P7M", "": ""} {
		if p, err := ParsePeriod(text); err != nil || p.String() != want {
			t.Errorf("%q is %q, %v; want %q", text, p, err, want)
		}
	}
	for _, text := range []string{"90", "P0D", "P-1D", "PD", "P90", "P1W", "P1M1D", "P101Y", "P99999999D", "p90d"} {
		if p, err := ParsePeriod(text); err == nil {
			t.Errorf("%q is taken as %q", text, p)
		}
	}
	at := time.Date(2026, 3, 31, 2, 0, 0, 0, time.UTC)
	if got := (Period{Months: 1}).Before(at); !got.Equal(time.Date(2026, 2, 28, 2, 0, 0, 0, time.UTC)) {
		t.Errorf("a month before 31 March is %s", got)
	}
	least := Period{Months: 36}
	for p, want := range map[Period]bool{{Days: 1095}: true, {Days: 1096}: false, {Months: 35}: true, {Months: 36}: false, {}: false, {Days: 2000}: false} {
		if p.shorter(least) != want {
			t.Errorf("%s is shorter than 36 months: %v", p, !want)
		}
	}
}

// Below the least nothing can be set, and the law is named; what cannot be
// changed says so; every refusal leaves the class as it was.
func TestNothingGoesBelowTheLaw(t *testing.T) {
	s, log := fresh(t, Options{Known: func(t devices.TypeID) bool { return t == "water_level" || t == "fishing_vessel" }})
	day := func(n int) Period { return Period{Days: n} }
	for _, c := range []struct {
		class  string
		keep   Period
		byType map[devices.TypeID]Period
		reason string
		field  string
		says   string
	}{
		{VesselTracks, Period{Months: 35}, nil, why, "keep", "41/2026/NĐ-CP"},
		{VesselTracks, day(1095), nil, why, "keep", "41/2026/NĐ-CP"},
		{"audit", day(30), nil, why, "id", "85/2016"},
		{"sessions", day(30), nil, why, "id", "cannot be changed"},
		{Readings, day(6), nil, why, "keep", "7 days"},
		{Readings, day(90), map[devices.TypeID]Period{"water_level": day(1)}, why, "by_type.water_level", "7 days"},
		{Readings, day(90), map[devices.TypeID]Period{"nix": day(90)}, why, "by_type.nix", "no device type"},
		{Readings, day(90), map[devices.TypeID]Period{"fishing_vessel": day(90)}, why, "by_type.fishing_vessel", VesselTracks},
		{Rollups, day(900), map[devices.TypeID]Period{"water_level": day(900)}, why, "by_type", "one time for all"},
		{Readings, day(60), nil, "1234567890", "reason", "letters"},
	} {
		_, err := s.Change(t.Context(), c.class, c.keep, c.byType, 0, c.reason)
		fe, ok := errors.AsType[*devices.FieldError](err)
		if !ok || fe.Field != c.field || !strings.Contains(fe.Reason, c.says) {
			t.Errorf("%s to %s: %v", c.class, c.keep, err)
		}
	}
	if es, _ := log.List(t.Context(), audit.Filter{}); len(es) != 0 {
		t.Errorf("refusals are recorded as changes: %+v", es)
	}
	if _, err := s.Change(t.Context(), "nix", day(90), nil, 0, why); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("a class that is not there: %v", err)
	}
	for _, c := range s.Classes() {
		if !c.Fixed && c.Keep.shorter(c.Least) || c.Version != 1 || c.Law.VI == "" || c.Name.EN == "" {
			t.Errorf("%+v", c)
		}
	}
}

func TestChangeIsRecordedAndOverwritesNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, log, db := open(t, path, Options{})
	c, err := s.Change(t.Context(), Readings, Period{Days: 60}, map[devices.TypeID]Period{"water_level": {Months: 24}}, 1, why)
	if err != nil || c.Version != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := s.Change(t.Context(), Readings, Period{Days: 30}, nil, 1, why); !errors.Is(err, devices.ErrStale) {
		t.Errorf("the second editor: %v", err)
	}
	es, err := log.List(t.Context(), audit.Filter{})
	if err != nil || len(es) != 1 || es[0].Why != why || !strings.Contains(string(es[0].Before), "P90D") || !strings.Contains(string(es[0].After), `"water_level":"P24M"`) {
		t.Errorf("recorded: %+v, %v", es, err)
	}
	db.Close()
	s, _, _ = open(t, path, Options{Configured: map[string]Period{Readings: {Days: 1000}}})
	c, err = s.Class(Readings)
	if err != nil || c.For("air_station") != (Period{Days: 60}) || c.For("water_level") != (Period{Months: 24}) {
		t.Errorf("after a restart: %+v, %v", c, err)
	}
	if got := s.Overruled(); len(got) != 1 || got[0] != Readings {
		t.Errorf("overruled: %v", got)
	}
}

// What an installation kept before there were classes it goes on keeping, once,
// and unless it says otherwise.
func TestUpgradeRemovesNothing(t *testing.T) {
	earlier := map[string]Period{Readings: {Days: 400}, Plates: {}}
	for name, c := range map[string]struct {
		had        bool
		configured map[string]Period
		want       Period
	}{
		"new":                 {false, nil, Period{Days: 90}},
		"upgraded":            {true, nil, Period{Days: 400}},
		"upgraded and told":   {true, map[string]Period{Readings: {Days: 30}}, Period{Days: 30}},
		"new and told":        {false, map[string]Period{Readings: {Days: 30}}, Period{Days: 30}},
		"upgraded, told more": {true, map[string]Period{Readings: {Days: 800}}, Period{Days: 800}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := fresh(t, Options{Configured: c.configured})
			for _, had := range []bool{c.had, true} { // the next start finds data
				if _, err := s.Seed(t.Context(), had, earlier); err != nil {
					t.Fatal(err)
				}
				if got, _ := s.Class(Readings); got.Keep != c.want {
					t.Errorf("kept %s, want %s", got.Keep, c.want)
				}
				if got, _ := s.Class(Plates); got.Keep.Forever() != c.had {
					t.Errorf("plates are kept %q", got.Keep)
				}
			}
		})
	}
}

func TestHolds(t *testing.T) {
	s, log := fresh(t, Options{
		AreasOf: func(d devices.ID) []string {
			return map[devices.ID][]string{"a": {"xa-1"}, "b": {"xa-2"}, "moved": {"xa-1", "xa-2"}}[d]
		},
		Within: func(area, root string) bool { return area == root || root == "tinh" },
		Report: func(_ context.Context, code string) (string, error) {
			if code == "qb1" {
				return "QB-1", nil
			}
			return "", devices.ErrNotFound
		}})
	at := func(h int) *time.Time { x := time.Date(2026, 11, 1, h, 0, 0, 0, time.UTC); return &x }
	for field, h := range map[string]Hold{
		"device": {Reason: why}, "report": {Report: "nix", Reason: why}, "to": {Device: "a", From: at(2), To: at(1), Reason: why}, "reason": {Device: "a", Reason: "x"},
	} {
		_, err := s.Hold(t.Context(), h, "lan")
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := s.Hold(t.Context(), Hold{Device: "a", Area: "x", Reason: why}, "lan"); err == nil {
		t.Error("a hold of two things was taken")
	}
	make := func(h Hold) Hold {
		t.Helper()
		h.Reason = why
		h, err := s.Hold(t.Context(), h, "lan")
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	one := make(Hold{Device: "A", From: at(1), To: at(3)})
	make(Hold{Area: "xa-2"})
	make(Hold{Report: "qb1"})
	if got := s.HeldOf("a"); len(got) != 1 || got[0] != (Span{at(1).UnixMilli(), at(3).UnixMilli()}) {
		t.Errorf("held of a: %v", got)
	}
	if len(s.HeldOf("b")) != 1 || len(s.HeldOf("moved")) != 1 || len(s.HeldOf("c")) != 0 {
		t.Error("an area's hold is not of its devices alone")
	}
	if !s.HoldsReport("QB-1", "", *at(0)) || !s.HoldsReport("QB-2", "xa-2", *at(0)) || s.HoldsReport("QB-2", "xa-1", *at(0)) {
		t.Error("reports are held wrongly")
	}
	if _, err := s.Lift(t.Context(), one.ID, "nam", why); err != nil || len(s.HeldOf("a")) != 0 {
		t.Errorf("lifted: %v", err)
	}
	if _, err := s.Lift(t.Context(), one.ID, "nam", why); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("lifted twice: %v", err)
	}
	hs, err := s.Holds(t.Context(), true, 0, 10)
	if err != nil || len(hs) != 3 || hs[2].LiftedBy != "nam" {
		t.Errorf("%+v, %v", hs, err)
	}
	if hs, _ := s.Holds(t.Context(), false, 0, 10); len(hs) != 2 {
		t.Errorf("%d stand", len(hs))
	}
	if es, _ := log.List(t.Context(), audit.Filter{Kind: "retention_hold"}); len(es) != 4 {
		t.Errorf("%d entries", len(es))
	}
	make(Hold{From: at(5)}) // everything from then on
	if len(s.HeldOf("c")) != 1 || !s.HoldsReport("QB-9", "", *at(6)) || s.HoldsReport("QB-9", "", *at(4)) {
		t.Error("a hold of a time is not of everything in it")
	}
}

// Holds that are made at the same time all hold.
func TestHoldsMadeTogetherAllHold(t *testing.T) {
	s, _ := fresh(t, Options{})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := s.Hold(t.Context(), Hold{Device: devices.ID(fmt.Sprint("d", i)), Reason: why}, "lan"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 20 {
		if id := devices.ID(fmt.Sprint("d", i)); len(s.HeldOf(id)) != 1 {
			t.Errorf("%s is not held", id)
		}
	}
}

// heap is a store of numbered things.
type heap struct {
	left  int
	waits string
	stop  func() // called at a step
	fails error
}

func (h *heap) part(class string) Part {
	return Part{Class: class, Waits: func(context.Context) (string, error) { return h.waits, nil },
		Plan: func(_ context.Context, c Cut) (Lots, error) {
			return Lots{NewLot("reading", "x", int64(h.left), 0, 0, 0)}, nil
		},
		Remove: func(ctx context.Context, c Cut, step func(Lot) error) error {
			for h.left > 0 {
				if h.fails != nil {
					return h.fails
				}
				h.left--
				if h.stop != nil {
					h.stop()
				}
				if err := step(NewLot("reading", "x", 1, 0, 0, 0)); err != nil {
					return err
				}
			}
			return nil
		}}
}

// A run says what it will remove, removes it and says so; what is deferred or
// fails costs the others nothing; one that was broken off goes on as itself.
func TestRunSaysWhatItWouldRemoveAndWhatItRemoved(t *testing.T) {
	s, log := fresh(t, Options{})
	ctx, stop := context.WithCancel(t.Context())
	a, b, c := &heap{left: 10}, &heap{left: 5, waits: "InfluxDB is behind"}, &heap{left: 3, fails: errors.New("disk")}
	a.stop = func() {
		if a.left == 6 {
			stop()
		}
	}
	j := NewJob(JobOptions{Store: s, Log: slog.New(slog.DiscardHandler), Parts: []Part{a.part(Readings), b.part(Rollups), c.part(DeadLetters)}})
	plan, err := j.Plan(t.Context())
	if err != nil || plan.item(Readings).Would[0].Count != 10 || plan.item(Rollups).Note == "" || a.left != 10 {
		t.Fatalf("%+v, %v", plan, err)
	}
	if _, err := j.Now(ctx, "system"); !errors.Is(err, context.Canceled) {
		t.Fatalf("broken off: %v", err)
	}
	rs, err := s.Runs(t.Context(), 0, 10)
	if err != nil || len(rs) != 1 || rs[0].EndedAt != nil || rs[0].item(Readings).Would[0].Count != 10 || rs[0].item(Readings).Removed[0].Count != 4 {
		t.Fatalf("after it was broken off: %+v, %v", rs, err)
	}
	if err := j.resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(t.Context(), rs[0].ID)
	if err != nil || r.Resumed != 1 || r.State != Failed || r.EndedAt == nil || a.left != 0 || b.left != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	for class, want := range map[string]string{Readings: Done, Rollups: Deferred, DeadLetters: Failed, VesselTracks: Done} {
		if it := r.item(class); it.State != want || (want == Done) != (it.Note == "") {
			t.Errorf("%s: %+v", class, it)
		}
	}
	if n, _ := r.item(Readings).Removed.Total(); n != 10 {
		t.Errorf("removed %d, said so of %d", 10, n)
	}
	if err := j.resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	es, err := log.List(t.Context(), audit.Filter{Kind: "retention_run"})
	if err != nil || len(es) != 2 || es[0].Action != "retention.remove" || !strings.Contains(string(es[0].After), `"readings":10`) || es[1].Action != "retention.plan" {
		t.Errorf("recorded: %+v, %v", es, err)
	}
	b.waits, c.fails = "", nil
	if r, err := j.Now(t.Context(), "lan"); err != nil || r.State != Done || b.left+c.left != 0 {
		t.Errorf("the next night: %+v, %v", r, err)
	}
}

func (r *Run) item(class string) Item {
	for _, it := range r.Items {
		if it.Class == class {
			return it
		}
	}
	return Item{}
}

func TestNightIsVietnams(t *testing.T) {
	for from, want := range map[string]string{
		"2026-11-28T18:59:00Z": "2026-11-28T19:00:00Z", // 01:59 there
		"2026-11-28T19:00:00Z": "2026-11-29T19:00:00Z",
		"2026-11-28T10:00:00Z": "2026-11-28T19:00:00Z",
	} {
		at, _ := time.Parse(time.RFC3339, from)
		if got := next(at, 2*time.Hour).UTC().Format(time.RFC3339); got != want {
			t.Errorf("after %s comes %s, want %s", from, got, want)
		}
	}
}

// The noted heads are held to the audit log.
func TestNotedHeadsAreHeldToTheAuditLog(t *testing.T) {
	s, log, db := open(t, filepath.Join(t.TempDir(), "state.db"), Options{})
	ts := []Track{{"Tàu-2", 3, []byte{1}}, {"Tàu-1", 5, []byte{2}}}
	for range 2 {
		if d, err := s.NoteTracks(t.Context(), ts); err != nil || len(d) != 64 {
			t.Fatalf("%q, %v", d, err)
		}
	}
	if es, _ := log.List(t.Context(), audit.Filter{}); len(es) != 1 {
		t.Errorf("%d entries of what did not change", len(es))
	}
	if got, err := s.Tracks(t.Context()); err != nil || len(got) != 2 || got[0].Device != "Tàu-1" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, q := range []string{`UPDATE retention_track SET no = 4 WHERE device = 'Tàu-2'`, `DELETE FROM retention_track`} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Tracks(t.Context()); !errors.Is(err, ErrTracks) {
			t.Errorf("%s: %v", q, err)
		}
	}
}
