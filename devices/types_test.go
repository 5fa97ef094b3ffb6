package devices_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

func stateDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var tide = devices.Type{ID: "tide_gauge", NameVI: "Trạm đo triều", NameEN: "Tide gauge", Interval: 10 * time.Minute,
	Metrics: []devices.Metric{{Name: "level_m", NameVI: "Mực nước", NameEN: "Level", Unit: "m", Min: -5, Max: 10, Decimals: 2, Headline: true}}}

// What somebody changed or took out stays so; what ships and nobody touched
// follows the program.
func TestTypesOutliveTheProgram(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "state.db")
	r := openRegistry(t, path)
	air, _ := r.Type("air_station")
	edited := *air
	edited.NameVI, edited.Interval = "Trạm khí của tỉnh", time.Minute
	if err := r.PutTypes(ctx, []devices.Type{edited, tide}, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.DeleteType(ctx, "vehicle"); err != nil {
		t.Fatal(err)
	}
	// As an older program left them: one untouched, one edited.
	if _, err := stateDB(t, path).Exec(`UPDATE device_type SET body = replace(body, 'interval:', 'mobile: true' || char(10) || 'interval:') WHERE id IN ('rain_gauge', 'air_station')`); err != nil {
		t.Fatal(err)
	}
	r = openRegistry(t, path)
	if a, ok := r.Type("air_station"); !ok || a.NameVI != edited.NameVI || a.Interval != time.Minute || !a.Mobile || !a.Edited || !a.Shipped || a.Version != 2 {
		t.Errorf("what was edited is %+v", a)
	}
	if a, ok := r.Type("rain_gauge"); !ok || a.Mobile || a.Edited || a.Version != 2 {
		t.Errorf("what ships is %+v", a)
	}
	if a, ok := r.Type("tide_gauge"); !ok || a.Shipped || a.Metric("level_m") == nil || a.Contract != devices.Periodic {
		t.Errorf("what was added is %+v", a)
	}
	if _, ok := r.Type("vehicle"); ok {
		t.Error("what was taken out is back")
	}
	if n := len(r.Types()); n != 11 {
		t.Errorf("%d types", n)
	}
}

// A file that was exported comes back and changes nothing: what ships goes on
// following the program, and nothing is recorded.
func TestTypesComeBackUnchanged(t *testing.T) {
	ctx := t.Context()
	r, l := openAudited(t)
	if err := r.PutTypes(ctx, []devices.Type{tide}, 0); err != nil {
		t.Fatal(err)
	}
	before, _, err := l.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text, err := devices.WriteTypes(r.Types())
	if err != nil {
		t.Fatal(err)
	}
	ts, err := devices.ReadTypes(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.PutTypes(ctx, ts, 0); err != nil {
		t.Fatal(err)
	}
	for _, typ := range r.Types() {
		if typ.Version != 1 || typ.Edited != (typ.ID == "tide_gauge") {
			t.Errorf("%s is at version %d, edited %v", typ.ID, typ.Version, typ.Edited)
		}
	}
	// Among those that stay, one that changes does.
	ts[0].Interval = time.Minute
	if err := r.PutTypes(ctx, ts, 0); err != nil {
		t.Fatal(err)
	}
	if changed, _ := r.Type(ts[0].ID); changed.Version != 2 || !changed.Edited || changed.Interval != time.Minute {
		t.Errorf("changed: %+v", changed)
	}
	if after, _, err := l.Head(ctx); after != before+1 || err != nil {
		t.Errorf("%d entries were recorded, %v; want 1", after-before, err)
	}
}

func TestTypeInUseStays(t *testing.T) {
	ctx := t.Context()
	r, l := openAudited(t)
	if err := r.PutTypes(ctx, []devices.Type{tide}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(ctx, devices.Device{ID: "a", Type: "tide_gauge"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SetLife(ctx, "a", devices.Retired, "mất trộm"); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[devices.TypeID]error{"tide_gauge": devices.ErrConflict, "generic": devices.ErrConflict, "nobody": devices.ErrNotFound} {
		if err := r.DeleteType(ctx, id); !errors.Is(err, want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := r.Edit(ctx, "a", 0, func(d *devices.Device) error { d.Type = "generic"; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := r.DeleteType(ctx, "tide_gauge"); err != nil {
		t.Fatal(err)
	}
	es, err := l.List(ctx, audit.Filter{Kind: "device_type"})
	if err != nil || len(es) != 2 || es[0].Action != "type.delete" || es[1].Action != "type.create" || len(es[1].After) == 0 {
		t.Errorf("recorded %+v, %v", es, err)
	}
}

func TestBadTypesAreNamed(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	for field, change := range map[string]func(*devices.Type){
		"types[0].id":                   func(t *devices.Type) { t.ID = "Tide" },
		"types[0].name_vi":              func(t *devices.Type) { t.NameVI = " " },
		"types[0].name_en":              func(t *devices.Type) { t.NameEN = "a\nb" },
		"types[0].interval":             func(t *devices.Type) { t.Interval = 0 },
		"types[0].contract":             func(t *devices.Type) { t.Contract = "now and then" },
		"types[0].decoder":              func(t *devices.Type) { t.Decoder = "a b" },
		"types[0].dashboard.metrics[1]": func(t *devices.Type) { t.Dashboard.Metrics = []string{"level_m", "depth"} },
		"types[0].dashboard.window":     func(t *devices.Type) { t.Dashboard.Window = -1 },
		"types[0].metrics[0].name":      func(t *devices.Type) { t.Metrics[0].Name = "mực nước" },
		"types[0].metrics[0].kind":      func(t *devices.Type) { t.Metrics[0].Kind = "meter" },
		"types[0].metrics[0].max":       func(t *devices.Type) { t.Metrics[0].Max = -6 },
		"types[0].metrics[0].decimals":  func(t *devices.Type) { t.Metrics[0].Decimals = 10 },
		"types[0].metrics[0].unit":      func(t *devices.Type) { t.Metrics[0].Unit = strings.Repeat("m", 41) },
		"types[0].metrics[1].name":      func(t *devices.Type) { t.Metrics = append(t.Metrics, t.Metrics[0]) },
		"types[0].metrics[1].headline": func(t *devices.Type) {
			m := t.Metrics[0]
			m.Name = "level_2"
			t.Metrics = append(t.Metrics, m)
		},
	} {
		x := tide
		x.Metrics = append([]devices.Metric(nil), tide.Metrics...)
		change(&x)
		err := r.PutTypes(t.Context(), []devices.Type{x}, 0)
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field || fe.Reason == "" {
			t.Errorf("got %v, want a fault in %s", err, field)
		}
	}
	if err := r.PutTypes(t.Context(), []devices.Type{tide, tide}, 0); err == nil {
		t.Error("took one type twice")
	}
	if _, ok := r.Type("tide_gauge"); ok {
		t.Error("something of it was taken")
	}
}

func TestTypeEditOverwritesNobody(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	if err := r.PutTypes(t.Context(), []devices.Type{tide}, 0); err != nil {
		t.Fatal(err)
	}
	first, second := tide, tide
	first.NameVI, second.NameVI = "Trạm triều", "Trạm thủy triều"
	if err := r.PutTypes(t.Context(), []devices.Type{first}, 1); err != nil {
		t.Fatal(err)
	}
	if err := r.PutTypes(t.Context(), []devices.Type{second}, 1); !errors.Is(err, devices.ErrStale) {
		t.Errorf("the second of two: %v", err)
	}
}

func TestTypesAsAFile(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	text, err := devices.WriteTypes(r.Types())
	if err != nil {
		t.Fatal(err)
	}
	ts, err := devices.ReadTypes(text)
	if err != nil || len(ts) != len(r.Types()) {
		t.Fatalf("%d types of %d, %v", len(ts), len(r.Types()), err)
	}
	if err := r.PutTypes(t.Context(), ts, 0); err != nil {
		t.Fatal(err)
	}
	again, err := devices.WriteTypes(r.Types())
	if err != nil || string(again) != string(text) {
		t.Errorf("what is read and written again differs: %v", err)
	}
	for name, c := range map[string]struct{ text, says string }{
		"a word that is none": {"types:\n  - id: a\n    colour: red\n", "[3:5]"},
		"no YAML":             {"types:\n  - id: [\n", "[2:"},
		"a wrong kind":        {"types:\n  - id: a\n    interval: often\n", "line 3"},
		"nothing":             {"", "no types"},
	} {
		if _, err := devices.ReadTypes([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	const two = "types:\n  - id: a\n    name_vi: A\n  - id: b\n    metrics:\n      - name: x\n        unit: m\n"
	for path, want := range map[string]int{"types[0].id": 2, "types[1].metrics[0].unit": 7, "types[1].metrics[0].max": 6, "types[1].name_vi": 4, "types[7].id": 2} {
		if got := devices.LineOf([]byte(two), path); got != want {
			t.Errorf("%s is said to stand on line %d, want %d", path, got, want)
		}
	}
}

// The pipeline asks for types while somebody changes them.
func TestTypesChangeUnderReaders(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if a, ok := r.Type("air_station"); !ok || a.Metric("pm25") == nil {
					t.Error("a type without its metric was seen")
					return
				}
			}
		})
	}
	air, _ := r.Type("air_station")
	for i := range 50 {
		x := *air
		x.Interval = time.Duration(i+1) * time.Minute
		if err := r.PutTypes(ctx, []devices.Type{x}, 0); err != nil {
			t.Fatal(err)
		}
		if a, _ := r.Type("air_station"); a.Interval != x.Interval {
			t.Fatalf("the change is not seen at once: %s", a.Interval)
		}
	}
	stop()
	readers.Wait()
}

func TestEventTypesAreNotExpected(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	for _, d := range []devices.Device{{ID: "a", Type: "crew_phone"}, {ID: "b", Type: "crew_phone", Interval: time.Minute}} {
		if _, err := r.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		got, _ := r.Get(d.ID)
		if r.Interval(got) != d.Interval {
			t.Errorf("%s is expected every %s", d.ID, r.Interval(got))
		}
	}
}

func BenchmarkType(b *testing.B) {
	r := openRegistry(b, filepath.Join(b.TempDir(), "state.db"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Type("air_station")
		}
	})
}
