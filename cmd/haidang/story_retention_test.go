package main

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/retention"
	"haidang/ingest"
)

// Four years of a vessel and of an air station: one night takes the station's old
// readings, and of the vessel what is older than 36 months; but not before the
// figures by hour were made. Then somebody with SQL in their hands improves the vessel's track, and
// haidang verify says which day.
func TestStoryRetention(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.MQTT = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	start := func() *app {
		t.Helper()
		a, err := build(t.Context(), cfg, true, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a := start()
	for id, typ := range map[devices.ID]devices.TypeID{"qb-tau-01": "fishing_vessel", "qb-air-01": "air_station", "qb-air-02": "air_station"} {
		_, err := a.registry.Create(t.Context(), devices.Device{ID: id, Type: typ, Name: string(id)})
		must(err)
	}
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	for _, id := range []devices.ID{"qb-tau-01", "qb-air-01", "qb-air-02"} {
		for months := range 48 {
			at := now.AddDate(0, -months, 0)
			_, err := a.journal.Append(t.Context(), []ingest.Entry{{Reading: &ingest.Reading{Device: id, FixTime: at, ReceivedAt: at, Seq: int64(months), Values: []ingest.Value{{Metric: "speed", Number: 5}}}}})
			must(err)
		}
	}
	must(a.journal.Settle(t.Context()))
	if r, err := a.nightly.Now(t.Context(), "system"); err != nil || of(&r, retention.Readings).State != retention.Deferred {
		t.Fatalf("before the figures by hour have read it: %+v, %v", r, err)
	}
	must(a.stop.unwind())

	a = start() // the roll-ups read all
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx, func() {}) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		filling, unmade := a.rollups.Waiting()
		if a.rollups.Pos() >= a.journal.State().Settled && !filling && (unmade.IsZero() || unmade.After(now.Add(-time.Hour))) {
			break
		}
		must(a.rollups.Make(t.Context(), time.Now().Add(time.Hour)))
		if time.Now().After(end) {
			t.Fatal("the roll-ups do not end")
		}
	}
	stop()
	must(<-ended)

	out, err := command(t, "retention", "--data", cfg.Data)
	if err != nil || !strings.Contains(out, "vessel_tracks") || !strings.Contains(out, "reading of air_station") || !strings.Contains(out, "dead_letters") {
		t.Errorf("the dry run:\n%s%v", out, err)
	}
	a = start()
	plan, err := a.nightly.Plan(t.Context())
	must(err)
	r, err := a.nightly.Now(t.Context(), "system")
	must(err)
	count := func(class string, ls func(*retention.Item) retention.Lots) int64 {
		n, _ := ls(of(&r, class)).Total()
		return n
	}
	removed := func(i *retention.Item) retention.Lots { return i.Removed }
	if n, m := count(retention.Readings, removed), count(retention.VesselTracks, removed); n < 85 || n > 90 || m < 10 || m > 12 {
		t.Errorf("%d readings and %d of the vessel went: %+v", n, m, r)
	}
	if said, _ := of(&plan, retention.Readings).Would.Total(); said != count(retention.Readings, removed) {
		t.Errorf("it said %d and removed %d", said, count(retention.Readings, removed))
	}
	track, _, err := a.journal.Readings(t.Context(), ingest.ReadingsQuery{Device: "qb-tau-01", To: now.Add(time.Hour), Limit: 100})
	if err != nil || len(track) < 36 || !track[0].FixTime.After(now.AddDate(0, -37, 0)) {
		t.Errorf("the track has %d, %v", len(track), err)
	}
	if es, err := a.audit.List(t.Context(), audit.Filter{Action: "retention"}); err != nil || len(es) < 5 {
		t.Errorf("recorded: %+v, %v", es, err)
	}
	must(a.stop.unwind())

	if out, err := command(t, "verify", "--data", cfg.Data); err != nil || !strings.Contains(out, "the vessel tracks hold: 1 vessels") {
		t.Fatalf("verify: %s %v", out, err)
	}
	// Whoever takes the newest block out, with all that says so in the journal, is
	// found out also after the next night.
	putBack := cutTrack(t, filepath.Join(cfg.Data, "journal"))
	a = start()
	_, err = a.nightly.Now(t.Context(), "system")
	must(err)
	must(a.stop.unwind())
	if out, err := command(t, "verify", "--data", cfg.Data); err == nil || !strings.Contains(out, "was removed") {
		t.Errorf("the newest block is gone: %s %v", out, err)
	}
	putBack()
	if out, err := command(t, "verify", "--data", cfg.Data); err != nil {
		t.Fatalf("it is back: %s %v", out, err)
	}

	day := now.AddDate(0, -7, 0)
	db, err := sql.Open("sqlite", filepath.Join(cfg.Data, "journal", day.Truncate(7*24*time.Hour).Format(time.DateOnly)+".db"))
	must(err)
	res, err := db.Exec(`UPDATE run SET first = first + 60000, last = last + 60000 WHERE device = (SELECT key FROM device WHERE id = 'qb-tau-01')`)
	must(err)
	if n, _ := res.RowsAffected(); n == 0 {
		t.Fatal("nothing was touched")
	}
	must(db.Close())
	if out, err := command(t, "verify", "--data", cfg.Data); err == nil || !strings.Contains(out, "vessel qb-tau-01: block ") || !strings.Contains(out, day.Format(time.DateOnly)+" was changed") {
		t.Errorf("after it was touched: %s %v", out, err)
	}
}

// cutTrack takes the newest block of the only vessel out of a journal that is
// closed, so that what is left holds by itself; it returns what puts it back.
func cutTrack(t *testing.T, dir string) (putBack func()) {
	t.Helper()
	type block struct {
		file string
		no   int64
		hash []byte
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do := func(file string, fn func(*sql.DB)) {
		t.Helper()
		db, err := sql.Open("sqlite", file)
		must(err)
		defer db.Close()
		fn(db)
	}
	var newest, before block
	files, err := filepath.Glob(filepath.Join(dir, "????-??-??.db"))
	must(err)
	for _, file := range files {
		do(file, func(db *sql.DB) {
			rows, err := db.Query(`SELECT no, hash FROM link`)
			must(err)
			defer rows.Close()
			for rows.Next() {
				b := block{file: file}
				must(rows.Scan(&b.no, &b.hash))
				switch {
				case b.no > newest.no:
					newest, before = b, newest
				case b.no > before.no:
					before = b
				}
			}
			must(rows.Err())
		})
	}
	chain := filepath.Join(dir, "chain.db")
	kept := map[string][]byte{newest.file: nil, chain: nil}
	for file := range kept {
		kept[file], err = os.ReadFile(file)
		must(err)
	}
	do(newest.file, func(db *sql.DB) {
		_, err := db.Exec(`DELETE FROM run WHERE id = (SELECT run FROM link WHERE no = ?); DELETE FROM link WHERE no = ?`, newest.no, newest.no)
		must(err)
	})
	do(chain, func(db *sql.DB) {
		_, err := db.Exec(`UPDATE head SET no = ?, hash = ?`, before.no, before.hash)
		must(err)
	})
	return func() {
		for file, text := range kept {
			must(os.WriteFile(file, text, 0o640))
		}
	}
}

func of(r *retention.Run, class string) *retention.Item {
	for i := range r.Items {
		if r.Items[i].Class == class {
			return &r.Items[i]
		}
	}
	return &retention.Item{}
}
