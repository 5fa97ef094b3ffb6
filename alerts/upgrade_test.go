package alerts_test

import (
	"context"
	"testing"
	"time"

	"haidang/alerts"
	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/statedb/statedbtest"
)

// Alerts of a database from before areas were dated get the version of their
// own time, and count.
func TestUpgradeGivesAlertsTheAreaOfTheirTime(t *testing.T) {
	ctx := context.Background()
	db := statedbtest.Open(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	statedbtest.Migrate(t, db, "alerts_version", "00001_alert.sql", "00002_cleared_at.sql")
	for _, body := range []string{
		`{"id":"old","rule":"r1","device":"a","area":"dong-hoi","state":"open","severity":"major","started_at":"2025-06-30T16:59:59Z","lat":17.5,"lon":106.5}`,
		`{"id":"new","rule":"r2","device":"a","area":"dong-hoi","state":"closed","severity":"major","started_at":"2025-06-30T17:00:00Z","cleared_at":"2025-07-02T00:00:00Z"}`,
		`{"id":"gone","rule":"r3","device":"a","area":"dong-hoi","state":"closed","severity":"major","started_at":"2025-07-01T00:00:00Z","clear_reason":"withdrawn"}`,
		`{"id":"none","rule":"r4","device":"b","area":"","state":"open","severity":"major","started_at":"2025-07-01T00:00:00Z"}`,
	} {
		_, err := db.Exec(`INSERT INTO alert(id,key,state,severity,device,acked,started_at,updated_at,body)
			SELECT ?1->>'id', ?1->>'rule', ?1->>'state', 'major', ?1->>'device', 0, CAST(strftime('%s', ?1->>'started_at') AS INTEGER)*1000, 0, ?1`, body)
		must(err)
	}
	trail, err := audit.Open(ctx, db)
	must(err)
	places, err := areas.Open(ctx, db, trail)
	must(err)
	log, err := changelog.Open(ctx, db)
	must(err)
	for range 2 {
		s, err := alerts.NewStore(ctx, db, log)
		must(err)
		must(s.FillAreas(ctx, places))
		for id, want := range map[string]string{"old": "dong-hoi", "new": "dong-hoi@2025-07-01", "none": ""} {
			if a, err := s.Get(ctx, id); err != nil || a.AreaVersion != want || a.ID != id || a.StartedAt.IsZero() {
				t.Errorf("%s: %+v %v, want %q", id, a, err, want)
			}
		}
		ts, err := s.Tallies(ctx, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		must(err)
		got := map[string]float64{}
		for _, x := range ts {
			got[x.Area.String()] += x.N
			if (x.Place != nil) != (x.Area.String() == "dong-hoi") || x.Place != nil && *x.Place != (devices.Position{Lat: 17.5, Lon: 106.5}) {
				t.Errorf("tally %+v", x)
			}
		}
		if len(got) != 3 || got["dong-hoi"] != 1 || got["dong-hoi@2025-07-01"] != 1 || got[""] != 1 {
			t.Errorf("tallies %v", got)
		}
	}
}
