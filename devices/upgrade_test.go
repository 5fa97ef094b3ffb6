package devices_test

import (
	"context"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
	"haidang/devices/statedb/statedbtest"
)

// A database of the first version, with intervals in seconds, opens unharmed.
func TestUpgradeKeepsIntervals(t *testing.T) {
	ctx := context.Background()
	db := statedbtest.Open(t)
	first, err := os.ReadFile("migrations/00001_device.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := statedb.Migrate(ctx, db, fstest.MapFS{"00001_device.sql": {Data: first}}, "devices_version"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO device VALUES('a','A','generic','Trạm','',NULL,NULL,90,'',0,1700000000000)`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := devices.NewRegistry(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := r.Get("a"); !ok || d.Interval != 90*time.Second || d.ID != "A" || d.Life != devices.Active || d.Version != 1 {
			t.Errorf("after the upgrade: %+v", d)
		}
	}
}
