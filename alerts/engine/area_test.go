package engine

import (
	"context"
	"log/slog"
	"testing"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/statedb/statedbtest"
)

// An alert keeps the version of its area that counted when it began: the
// device's, or for what moves, the one it was in.
func TestAlertKeepsTheAreaOfItsTime(t *testing.T) {
	ctx := context.Background()
	db := statedbtest.Open(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	trail, err := audit.Open(ctx, db)
	must(err)
	places, err := areas.Open(ctx, db, trail)
	must(err)
	log, err := changelog.Open(ctx, db)
	must(err)
	store, err := alerts.NewStore(ctx, db, log)
	must(err)
	reg, err := devices.NewRegistry(ctx, db)
	must(err)
	inQuangTri, inQuangNam := devices.Position{Lat: 16.75, Lon: 107}, devices.Position{Lat: 15.6, Lon: 108.2}
	must(reg.Upsert(ctx, []devices.Device{
		{ID: "station", Type: "air_station", Area: "dong-hoi", Position: &inQuangNam}, // its area is what somebody said
		{ID: "bare", Type: "air_station", Position: &inQuangNam},
		{ID: "vessel", Type: "fishing_vessel", Area: "bien-quang-binh"}}))
	e, err := New(ctx, Options{Store: store, Registry: reg, Seen: seen{}, Areas: places, Log: slog.New(slog.DiscardHandler)})
	must(err)
	after, before := t0, t0.AddDate(-2, 0, 0) // the map changed between them
	for name, c := range map[string]struct {
		device devices.ID
		where  *devices.Position
		late   bool
		want   string
	}{
		"a station":                   {"station", nil, false, "dong-hoi@2025-07-01"},
		"a station, then":             {"station", nil, true, "dong-hoi"},
		"a station of no area":        {"bare", nil, false, "da-nang@2025-07-01"},
		"a station of no area, then":  {"bare", nil, true, "quang-nam"},
		"a vessel elsewhere":          {"vessel", &inQuangNam, false, "da-nang@2025-07-01"},
		"a vessel in its own harbour": {"vessel", &inQuangTri, false, "bien-quang-binh@2025-07-01"},
		"a vessel of unknown place":   {"vessel", nil, true, "bien-quang-binh"},
	} {
		dev, _ := reg.Get(c.device)
		started := after
		if c.late {
			started = before
		}
		e.changed = nil
		e.raise(&rules.Rule{ID: name}, dev, started, c.late, func(a *alerts.Alert) { place(a, c.where) })
		a := e.changed[0]
		if a.AreaVersion != c.want || a.Area != areas.ParseRef(c.want).Code {
			t.Errorf("%s: %q, version %q, want %q", name, a.Area, a.AreaVersion, c.want)
		}
		must(e.save(ctx))
		kept, err := store.Get(ctx, a.ID)
		if err != nil || kept.AreaVersion != c.want {
			t.Errorf("%s is kept as %+v, %v", name, kept, err)
		}
	}
}
