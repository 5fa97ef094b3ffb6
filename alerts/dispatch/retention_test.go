package dispatch

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb/statedbtest"
	"haidang/ingest/media"
	"haidang/ingest/reports"
)

type anyAgency struct{}

func (anyAgency) Agency(id string) (devices.Agency, bool) {
	return devices.Agency{ID: id, Name: "UBND xã"}, true
}

// What tells the person is in no cell of any table after a report was anonymised:
// not in its order, not in the changes that screens missed, not in the audit log.
// What counts is left, and the code still leads to it.
func TestAnonymisedReportTellsNobodyAnywhere(t *testing.T) {
	ctx := t.Context()
	db := statedbtest.Open(t)
	log, err := changelog.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	photos, err := media.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	rs, err := reports.New(ctx, db, log, photos, reports.Options{Agencies: anyAgency{}, Prefix: "QB"})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := New(ctx, db, log)
	if err != nil {
		t.Fatal(err)
	}
	rs.ForgetToo(ds.ForgetReport)
	lat, lon := 17.468123, 106.622456
	submit := func(id string) string {
		r, _, err := rs.Submit(ctx, reports.Submission{Category: "an-ninh-trat-tu", Description: "Ồn ào, gọi Lê Thị Hồng Vân số 0912345678, xe 73A-123.45", Lat: &lat, Lon: &lon,
			Address: "Số 127 Trần Hưng Đạo", Phone: "0912345678", Name: "Lê Thị Hồng Vân", ClientID: id, Channel: "web"})
		if err != nil {
			t.Fatal(err)
		}
		return r.Code
	}
	code, open, held := submit("khach-hang-4711"), submit("b"), submit("c")
	if _, err := ds.Create(ctx, NewWorkOrder{Crew: "crew-1", Title: "Đến nhà bà Lê Thị  Hồng Vân", Instructions: "Gọi 0912 345 678", Report: code, Lat: &lat, Lon: &lon, By: "Lan"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{code, held} {
		for _, step := range []string{"assign", "answer"} {
			if _, err := rs.Apply(ctx, c, step, reports.Action{By: "Lan", Agency: "ubnd-xa", Text: "Đã gọi lê thị hồng vân, 0912345678"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := rs.Unmask(ctx, code, "Gọi lại cho Lê Thị Hồng Vân 0912345678"); err != nil {
		t.Fatal(err)
	}
	x := reports.Expiry{Before: time.Now().Add(time.Hour), Held: func(c, _ string, _ time.Time) bool { return c == held }}
	would, err := rs.ToAnonymise(ctx, x)
	if err != nil || len(would) != 1 || would[0].Code != code {
		t.Fatalf("would: %+v, %v", would, err)
	}
	for c, want := range map[string]bool{code: true, open: false, held: false} {
		if done, err := rs.Anonymise(ctx, c, x); done != want || err != nil {
			t.Errorf("anonymise %s: %v, %v", c, done, err)
		}
	}
	if done, err := rs.Anonymise(ctx, code, x); done || err != nil {
		t.Errorf("twice: %v, %v", done, err)
	}
	for _, c := range []string{open, held} { // they may show it
		if _, err := db.Exec(`DELETE FROM report WHERE code = ?`, c); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`DELETE FROM change WHERE id = ?`, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, secret := range []string{"0912345678", "0912 345 678", "Hồng Vân", "hồng vân", "khach-hang-4711", "17.468123", "106.622456", "123.45", "127 Tr"} {
		for _, where := range cellsWith(t, db, secret) {
			t.Errorf("%q is still in %s", secret, where)
		}
	}
	r, err := rs.Get(ctx, code)
	if err != nil || r.AnonymisedAt == nil || r.Category != "an-ninh-trat-tu" || r.State != reports.Answered || len(r.Timeline) != 3 || !strings.Contains(r.Description, "Ồn ào") || r.Lat == nil {
		t.Errorf("what is left: %+v, %v", r, err)
	}
	if _, err := rs.Unmask(ctx, code, "Cần gọi lại cho người dân"); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("unmask: %v", err)
	}
	if cs, err := log.Since(ctx, reports.Channel, 0, 100); err != nil || len(cs) == 0 || !strings.Contains(string(cs[0].JSON), `"seq":1`) {
		t.Errorf("the changes: %d, %v", len(cs), err)
	}
}

// cellsWith looks through every cell of every table.
func cellsWith(t *testing.T, db *sql.DB, text string) (found []string) {
	t.Helper()
	names := func(q string) (out []string) {
		rows, err := db.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var n string
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
		return out
	}
	cells := 0
	for _, table := range names(`SELECT name FROM sqlite_master WHERE type='table'`) {
		for _, column := range names(fmt.Sprintf(`SELECT name FROM pragma_table_info('%s')`, table)) {
			var n int
			if err := db.QueryRow(fmt.Sprintf(`SELECT count(*) FROM "%s" WHERE instr(CAST("%s" AS TEXT), ?) > 0`, table, column), text).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if cells++; n > 0 {
				found = append(found, table+"."+column)
			}
		}
	}
	if cells < 30 {
		t.Fatalf("only %d columns", cells)
	}
	return found
}

// Who forgets a report holds the write lock: it looks for orders in an index.
func TestForgettingLooksIntoAnIndex(t *testing.T) {
	db := statedbtest.Open(t)
	log, err := changelog.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), db, log); err != nil {
		t.Fatal(err)
	}
	var id, parent, unused int
	var plan string
	if err := db.QueryRow(`EXPLAIN QUERY PLAN SELECT id FROM work_order WHERE json_extract(body,'$.report') = ?`, "x").Scan(&id, &parent, &unused, &plan); err != nil || !strings.Contains(plan, "work_order_report") {
		t.Errorf("%s, %v", plan, err)
	}
}
