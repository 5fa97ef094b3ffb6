package devices_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
)

func openRegistry(t testing.TB, path string) *devices.Registry {
	t.Helper()
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r, err := devices.NewRegistry(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegistryKeepsDevices(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a folder", "state.db")
	if _, err := statedb.Open(path); err == nil {
		t.Fatal("opened a database in a folder that does not exist")
	}
	path = filepath.Join(t.TempDir(), "state of ô.db")
	r := openRegistry(t, path)
	d := devices.Device{ID: "QB-Air-01", Type: "air_station", Name: "Trạm Đồng Hới", Area: "dong-hoi",
		Position: &devices.Position{Lat: 17.468, Lon: 106.622}, Interval: 30 * time.Second}
	if _, err := r.Create(ctx, d); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(ctx, devices.Device{ID: "qb-air-01", Type: "generic"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("an id that differs in case: %v", err)
	}
	for field, bad := range map[string]devices.Device{
		"id": {ID: "tàu", Type: "generic"}, "type": {ID: "a", Type: "toaster"}, "area": {ID: "a", Type: "generic", Area: "hanoi"},
		"position": {ID: "a", Type: "generic", Position: &devices.Position{Lat: 106, Lon: 17}},
	} {
		if _, err := r.Create(ctx, bad); err == nil {
			t.Errorf("took a bad %s", field)
		} else if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field {
			t.Errorf("bad %s: %v", field, err)
		}
	}
	if _, err := r.Discover(ctx, "new-1"); err != nil {
		t.Fatal(err)
	}
	r = openRegistry(t, path)
	got, ok := r.Get("qb-AIR-01")
	if !ok || got.Name != d.Name || *got.Position != *d.Position || r.Interval(got) != 30*time.Second {
		t.Errorf("after reopening: %+v", got)
	}
	for q, want := range map[string]int{"dong hoi": 1, "ĐỒNG HỚI": 1, "Ðồng": 1, "qb-": 1, "new": 1, "zzz": 0, "": 2} {
		if got := len(r.List(devices.Filter{Query: q})); got != want {
			t.Errorf("search %q found %d, want %d", q, got, want)
		}
	}
}

func TestFreshnessAt(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]devices.Freshness{0: devices.Live, 90 * time.Second: devices.Live, 91 * time.Second: devices.Late,
		180 * time.Second: devices.Late, 181 * time.Second: devices.Silent} {
		if got := devices.FreshnessAt(now, now.Add(-age), time.Minute); got != want {
			t.Errorf("after %s: %s, want %s", age, got, want)
		}
	}
	if got := devices.FreshnessAt(now, time.Time{}, time.Minute); got != devices.Never {
		t.Errorf("never heard of: %s", got)
	}
}
