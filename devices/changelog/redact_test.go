package changelog

import (
	"encoding/json"
	"strings"
	"testing"

	"haidang/devices/statedb/statedbtest"
)

// What is taken out of an item is out of all its changes, and of no other's; the
// changes are found by their index.
func TestRedactTakesItOutOfAllChanges(t *testing.T) {
	ctx := t.Context()
	db := statedbtest.Open(t)
	l, err := Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for _, id := range []string{"a", "b", "a"} {
		if _, err := l.Append(ctx, tx, "reports", id, map[string]string{"phone": "0912345678"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Redact(ctx, tx, "reports", "a", map[string]string{"phone": ""}); err != nil {
		t.Fatal(err)
	}
	var plans []string
	rows, err := tx.QueryContext(ctx, `EXPLAIN QUERY PLAN `+redact, "{}", "reports", "reports", "a")
	for err == nil && rows.Next() {
		var id, parent, unused int
		var plan string
		err = rows.Scan(&id, &parent, &unused, &plan)
		plans = append(plans, plan)
	}
	if err != nil || !strings.Contains(strings.Join(plans, "; "), "change_id") {
		t.Errorf("%q, %v", plans, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for seq, want := range map[int64]string{1: "", 2: "0912345678", 3: ""} {
		var text string
		var item struct {
			Seq   int64
			Phone string
		}
		err := db.QueryRow(`SELECT item FROM change WHERE channel = 'reports' AND seq = ?`, seq).Scan(&text)
		if err == nil {
			err = json.Unmarshal([]byte(text), &item)
		}
		if err != nil || item.Phone != want || want == "" && item.Seq != seq {
			t.Errorf("change %d is %s, %v", seq, text, err)
		}
	}
}
