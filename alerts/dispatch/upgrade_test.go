package dispatch

import (
	"context"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/changelog"
	"haidang/devices/statedb/statedbtest"
)

// Work orders of a database from before they kept an area are counted by when
// they were given and by their place.
func TestUpgradeCountsOldWorkOrders(t *testing.T) {
	ctx := context.Background()
	db := statedbtest.Open(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	statedbtest.Migrate(t, db, "dispatch_version", "00001_work_order.sql", "00002_step.sql")
	_, err := db.Exec(`INSERT INTO work_order(id,crew,state,updated_at,body) VALUES('w','crew-1','offered',0,'{"id":"w","crew":"crew-1","state":"offered","lat":17.5,"lon":106.5,"created_at":"2026-01-02T03:04:05.678Z"}')`)
	must(err)
	log, err := changelog.Open(ctx, db)
	must(err)
	given := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 2 {
		s, err := New(ctx, db, log)
		must(err)
		ts, err := s.Tallies(ctx, given, given.Add(time.Second))
		must(err)
		if len(ts) != 1 || ts[0].N != 1 || ts[0].Area != (areas.Ref{}) || ts[0].Place == nil || *ts[0].Place != (devices.Position{Lat: 17.5, Lon: 106.5}) {
			t.Errorf("tallies %+v", ts)
		}
		if ts, err = s.Tallies(ctx, given.Add(time.Second), given.Add(time.Hour)); err != nil || len(ts) != 0 {
			t.Errorf("of another time: %+v %v", ts, err)
		}
	}
}
