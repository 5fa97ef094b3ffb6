package devices_test

import (
	"slices"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/statedb/statedbtest"
)

// Where a device was registered is known of any time, also after a restart, and
// in a database from before it was kept.
func TestAreaOfADeviceIsKnownOfAnyTime(t *testing.T) {
	ctx := t.Context()
	db := statedbtest.Open(t)
	statedbtest.Migrate(t, db, "devices_version", "00001_device.sql", "00002_interval_ms.sql", "00003_registry.sql")
	if _, err := db.Exec(`INSERT INTO device(key,id,type,name,area,secret_hash,interval_ms,discovered,created_at) VALUES('a','A','generic','Trạm','dong-hoi','',0,0,1700000000000)`); err != nil {
		t.Fatal(err)
	}
	r, err := devices.NewRegistry(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	var times [4]time.Time // 0: long ago; then in each area
	times[1] = time.Now()
	for i, area := range []string{"le-thuy", "ba-don"} {
		time.Sleep(3 * time.Millisecond)
		d, err := r.Edit(ctx, "a", 0, func(d *devices.Device) error { d.Area = area; return nil })
		if err != nil || d.Area != area {
			t.Fatal(d, err)
		}
		time.Sleep(3 * time.Millisecond)
		times[i+2] = time.Now()
	}
	if _, err := r.Edit(ctx, "a", 0, func(d *devices.Device) error { d.Name = "Khác"; return nil }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d, _ := r.Get("A")
		for i, want := range []string{"dong-hoi", "dong-hoi", "le-thuy", "ba-don"} {
			if got := r.AreaAt(d, times[i]); got != want {
				t.Errorf("at time %d it was in %s, want %s", i, got, want)
			}
		}
		if got := r.AreasOf("A"); !slices.Equal(got, []string{"ba-don", "dong-hoi", "le-thuy"}) {
			t.Errorf("it was in %v", got)
		}
		if r, err = devices.NewRegistry(ctx, db); err != nil {
			t.Fatal(err)
		}
	}
}
