package changelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"haidang/devices/statedb"
	"haidang/devices/statedb/statedbtest"
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

func appendOne(t *testing.T, db *sql.DB, l *Log, channel string) int64 {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer tx.Rollback()
	seq, err := l.Append(context.Background(), tx, channel, "x", struct{}{})
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		t.Error(err)
		return 0
	}
	l.Publish(channel)
	return seq
}

func open(t *testing.T) (*sql.DB, *Log) {
	t.Helper()
	db := statedbtest.Open(t)
	l, err := Open(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	return db, l
}

func TestNumbersGoOnAfterTrimmingAll(t *testing.T) {
	db, l := open(t)
	for range 3 {
		appendOne(t, db, l, "alerts")
	}
	appendOne(t, db, l, "reports")
	if err := l.Trim(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	if a, r := appendOne(t, db, l, "alerts"), appendOne(t, db, l, "reports"); a != 4 || r != 2 {
		t.Errorf("next numbers are %d and %d, want 4 and 2", a, r)
	}
}

// A reader that only follows its wake-ups sees every change of many writers,
// in order, once.
func TestFollowerSeesEachChangeOnce(t *testing.T) {
	const writers, each = 4, 25
	db, l := open(t)
	sub := l.Subscribe("alerts")
	defer sub.Close()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				appendOne(t, db, l, "alerts")
				appendOne(t, db, l, "reports") // others' changes wake nobody here
			}
		})
	}
	defer wg.Wait()
	deadline := time.After(30 * time.Second)
	for seen := int64(0); seen < writers*each; {
		select {
		case <-sub.C():
		case <-deadline:
			t.Fatalf("saw %d of %d changes", seen, writers*each)
		}
		for {
			cs, err := l.Since(context.Background(), "alerts", seen, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cs {
				if c.Seq != seen+1 {
					t.Fatalf("change %d follows %d", c.Seq, seen)
				}
				seen = c.Seq
			}
			if len(cs) == 0 {
				break
			}
		}
	}
}

// Trimming while somebody reads may make him start over, but never skip.
func TestTrimNeverMakesAGap(t *testing.T) {
	db, l := open(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		for range 60 {
			appendOne(t, db, l, "alerts")
			if err := l.Trim(context.Background(), 1); err != nil {
				t.Error(err)
			}
		}
	})
	defer wg.Wait()
	for {
		select {
		case <-stop:
			return
		default:
		}
		last, err := l.Last(context.Background(), "alerts")
		if err != nil {
			t.Fatal(err)
		}
		after := max(last-1, 0)
		cs, err := l.Since(context.Background(), "alerts", after, 10)
		if err != nil && !errors.Is(err, ErrTooOld) {
			t.Fatal(err)
		}
		if len(cs) > 0 && cs[0].Seq != after+1 {
			t.Fatalf("after %d comes %d", after, cs[0].Seq)
		}
	}
}
