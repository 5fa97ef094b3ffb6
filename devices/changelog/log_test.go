package changelog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"haidang/devices/statedb"
)

func TestSinceGivesExactlyWhatWasMissed(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	sub := l.Subscribe("alerts")
	defer sub.Close()
	for i := range 5 {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		seq, err := l.Append(ctx, tx, "alerts", fmt.Sprint(i), map[string]int{"n": i})
		if err != nil || seq != int64(i+1) {
			t.Fatalf("change %d has number %d: %v", i, seq, err)
		}
		if i == 3 {
			tx.Rollback() // its number is used again: no gap
			tx, _ = db.BeginTx(ctx, nil)
			if seq, _ = l.Append(ctx, tx, "alerts", "3", map[string]int{"n": 3}); seq != 4 {
				t.Fatalf("after a rollback the number is %d", seq)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	l.Publish("alerts")
	<-sub.C()
	again, err := Open(ctx, db)
	if err != nil || again.Epoch() != l.Epoch() || l.Epoch() == "" {
		t.Fatalf("epoch %q then %q: %v", l.Epoch(), again.Epoch(), err)
	}
	cs, err := again.Since(ctx, "alerts", 2, 2)
	if err != nil || len(cs) != 2 || cs[0].Seq != 3 || string(cs[0].JSON) != `{"n":2}` {
		t.Fatalf("since 2: %+v %v", cs, err)
	}
	if cs, err := l.Since(ctx, "alerts", 5, 10); err != nil || len(cs) != 0 {
		t.Errorf("since the last: %v %v", cs, err)
	}
	if _, err := l.Since(ctx, "alerts", 6, 10); !errors.Is(err, ErrTooOld) {
		t.Errorf("since the future: %v", err)
	}
	if err := l.Trim(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Since(ctx, "alerts", 2, 10); !errors.Is(err, ErrTooOld) {
		t.Errorf("since what was trimmed: %v", err)
	}
	if cs, err := l.Since(ctx, "alerts", 3, 10); err != nil || len(cs) != 2 {
		t.Errorf("since the oldest kept: %v %v", cs, err)
	}
}
