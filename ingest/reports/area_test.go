package reports

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
	"haidang/devices/statedb/statedbtest"
	"haidang/ingest/media"
)

// Reports of a database from before they kept an area get the one of their own
// time; new ones get it when they are made.
func TestReportsKeepTheAreaOfTheirTime(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	must(err)
	defer db.Close()
	statedbtest.Migrate(t, db, "reports_version", "00001_report.sql", "00002_search.sql")
	lastOld := time.Date(2025, 6, 30, 16, 59, 59, 0, time.UTC) // in Vietnam a second to midnight
	for code, row := range map[string]struct {
		lat, lon any
		at       time.Time
	}{"QB-0000-0001": {17.47, 106.5, lastOld}, "QB-0000-0002": {17.47, 106.5, lastOld.Add(time.Second)}, "QB-0000-0003": {nil, nil, lastOld}, "QB-0000-0004": {9.0, 101.0, lastOld}} {
		_, err := db.Exec(`INSERT INTO report(code,state,category,description,lat,lon,address,agency,channel,phone,reporter,photos,timeline,created_at,updated_at)
			VALUES(?,'received','khac','x',?,?,'','','web','','','[]','[]',?,0)`, code, row.lat, row.lon, row.at.UnixMilli())
		must(err)
	}
	trail, err := audit.Open(ctx, db)
	must(err)
	places, err := areas.Open(ctx, db, trail)
	must(err)
	log, err := changelog.Open(ctx, db)
	must(err)
	photos, err := media.Open(filepath.Join(dir, "media"))
	must(err)
	var s *Service
	for range 2 {
		s, err = New(ctx, db, log, photos, Options{Agencies: oneAgency{}, Areas: places, Prefix: "QB"})
		must(err)
		for code, want := range map[string]string{"QB-0000-0001": "quang-binh", "QB-0000-0002": "quang-tri@2025-07-01", "QB-0000-0003": "", "QB-0000-0004": ""} {
			if r, err := s.Get(ctx, code); err != nil || r.AreaVersion != want || r.Area != areas.ParseRef(want).Code {
				t.Errorf("%s: %+v %v, want %q", code, r, err, want)
			}
		}
	}
	sub := good()
	*sub.Lat, *sub.Lon = 17.47, 106.5
	r, _, err := s.Submit(ctx, sub)
	if err != nil || r.AreaVersion != "quang-tri@2025-07-01" || r.Area != "quang-tri" {
		t.Errorf("a new one: %+v %v", r, err)
	}
	ts, err := s.Tallies(ctx, lastOld, time.Now().Add(time.Hour))
	must(err)
	n := map[string]float64{}
	for _, x := range ts {
		n[x.Area.String()] += x.N
	}
	if len(n) != 3 || n["quang-binh"] != 1 || n["quang-tri@2025-07-01"] != 2 || n[""] != 2 {
		t.Errorf("tallies %v", n)
	}
}
