package audit_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"haidang/devices/audit"
	"haidang/devices/statedb/statedbtest"
)

func open(t *testing.T) (*sql.DB, *audit.Log) {
	t.Helper()
	db := statedbtest.Open(t)
	l, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return db, l
}

func fill(t *testing.T, l *audit.Log) {
	t.Helper()
	for _, e := range []audit.Entry{
		{Who: "lan", Role: "operator", Address: "192.0.2.1", Action: "device.create", Kind: "device", ID: "d1", After: []byte(`{"id":"d1"}`)},
		{Who: "lan", Role: "operator", Action: "device.update", Kind: "device", ID: "d1", Before: []byte(`{"a":1}`), After: []byte(`{"a":2}`), Why: "dời trạm"},
		{Who: "nam", Role: "auditor", Action: "report.unmask", Kind: "report", ID: "QB-1", Why: "điều tra"},
		{Who: "system", Action: "retention.remove", Kind: "reading", ID: "2026-01"},
	} {
		if err := l.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// tamper does what somebody with the file in hands can do: triggers stop no one.
func tamper(t *testing.T, db *sql.DB, sql string) {
	t.Helper()
	for _, s := range []string{"DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", sql} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyNamesTheRowThatWasTouched(t *testing.T) {
	for name, c := range map[string]struct {
		sql     string
		seq     int64
		missing bool
	}{
		"untouched":            {"SELECT 1", 0, false},
		"a reason changed":     {"UPDATE audit SET why = 'x' WHERE seq = 2", 2, false},
		"text moved over":      {"UPDATE audit SET who = 'la', role = 'noperator' WHERE seq = 1", 1, false},
		"a time changed":       {"UPDATE audit SET at = at + 1 WHERE seq = 3", 3, false},
		"a hash changed":       {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 3", 3, false},
		"a row taken out":      {"DELETE FROM audit WHERE seq = 2", 2, true},
		"the first taken out":  {"DELETE FROM audit WHERE seq = 1", 1, true},
		"the last taken out":   {"DELETE FROM audit WHERE seq = 4", 4, true},
		"a row added":          {"INSERT INTO audit SELECT 5,at,who,role,address,action,kind,id,before,after,why,hash FROM audit WHERE seq = 4", 5, false},
		"all taken out":        {"DELETE FROM audit", 1, true},
		"renumbered over hole": {"DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2", 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			db, l := open(t)
			fill(t, l)
			seq, hash, err := l.Head(t.Context())
			if err != nil || seq != 4 {
				t.Fatal(seq, err)
			}
			tamper(t, db, c.sql)
			_, err = l.Verify(t.Context(), seq, hash)
			b, broken := errors.AsType[*audit.Broken](err)
			if c.seq == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !broken || b.Seq != c.seq || b.Missing != c.missing {
				t.Errorf("%v, want entry %d, missing %v", err, c.seq, c.missing)
			}
		})
	}
}

func TestNothingIsChangedOrRemoved(t *testing.T) {
	db, l := open(t)
	fill(t, l)
	const others = `at,who,role,address,action,kind,id,before,after,'x',hash FROM audit WHERE seq = 2`
	for _, s := range []string{"UPDATE audit SET why = ''", "DELETE FROM audit", "INSERT OR REPLACE INTO audit SELECT seq," + others, "REPLACE INTO audit SELECT 1," + others} {
		if _, err := db.Exec(s); err == nil {
			t.Errorf("%s went through", s)
		}
	}
	if n, err := l.Verify(t.Context(), 0, nil); n != 4 || err != nil {
		t.Errorf("%d entries hold, %v", n, err)
	}
}

func TestWhoActsComesWithTheContext(t *testing.T) {
	_, l := open(t)
	lan := audit.As(t.Context(), audit.Actor{Who: "lan", Role: "admin", Address: "192.0.2.1", Why: "thay trạm"})
	if err := errors.Join(l.Record(lan, audit.Entry{Action: "x.y"}), l.Record(t.Context(), audit.Entry{Action: "x.z"})); err != nil {
		t.Fatal(err)
	}
	es, err := l.List(t.Context(), audit.Filter{})
	if err != nil || len(es) != 2 || es[0].Who != "system" || es[1].Who != "lan" || es[1].Role != "admin" || es[1].Address != "192.0.2.1" || es[1].Why != "thay trạm" {
		t.Errorf("%+v, %v", es, err)
	}
	if _, err := l.Verify(t.Context(), 0, nil); err != nil {
		t.Error(err)
	}
}

func TestAppendStandsOrFallsWithItsTransaction(t *testing.T) {
	db, l := open(t)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), tx, audit.Entry{Action: "x.y"}); err != nil {
		t.Fatal(err)
	}
	tx.Rollback()
	if seq, _, err := l.Head(context.Background()); seq != 0 || err != nil {
		t.Errorf("after the rollback the head is %d, %v", seq, err)
	}
}

// Many at once are a part of the same chain.
func TestAppendAllGoesOnWithTheChain(t *testing.T) {
	db, l := open(t)
	fill(t, l)
	for _, n := range []int{0, 3} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := audit.As(t.Context(), audit.Actor{Who: "lan", Why: "nhập bảng"})
		err = l.AppendAll(ctx, tx, func(yield func(audit.Entry) bool) {
			for range n {
				if !yield(audit.Entry{Action: "device.create", Kind: "device", After: []byte(`{}`)}) {
					return
				}
			}
		})
		if err := errors.Join(err, tx.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, l)
	if n, err := l.Verify(t.Context(), 0, nil); n != 11 || err != nil {
		t.Errorf("%d entries hold, %v", n, err)
	}
	if es, err := l.List(t.Context(), audit.Filter{Who: "lan", Action: "device.create", Limit: 10}); err != nil || len(es) != 5 || es[1].Why != "nhập bảng" {
		t.Errorf("%+v, %v", es, err)
	}
}

func TestList(t *testing.T) {
	_, l := open(t)
	fill(t, l)
	for name, c := range map[string]struct {
		f    audit.Filter
		want []int64
	}{
		"all":             {audit.Filter{}, []int64{4, 3, 2, 1}},
		"one page":        {audit.Filter{Limit: 2}, []int64{4, 3}},
		"the next":        {audit.Filter{Limit: 2, Before: 3}, []int64{2, 1}},
		"by who":          {audit.Filter{Who: "nam"}, []int64{3}},
		"by action":       {audit.Filter{Action: "device.update"}, []int64{2}},
		"by its kind":     {audit.Filter{Action: "device"}, []int64{2, 1}},
		"not by a part":   {audit.Filter{Action: "dev"}, nil},
		"no wildcards":    {audit.Filter{Action: "%"}, nil},
		"by what":         {audit.Filter{Kind: "device", ID: "d1"}, []int64{2, 1}},
		"nothing matches": {audit.Filter{Who: "ai"}, nil},
	} {
		es, err := l.List(t.Context(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, e := range es {
			got = append(got, e.Seq)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}
