package journal

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
)

// marks keep how far in time each device has come on the shelves (marks.db). A
// mark may be further than the shelves are, never less.
type marks struct{ db *sql.DB }

const marksSchema = `
CREATE TABLE IF NOT EXISTS floor(device TEXT PRIMARY KEY, before INTEGER NOT NULL) WITHOUT ROWID; -- fix times before this, ms, may have been removed
CREATE TABLE IF NOT EXISTS mark(device TEXT NOT NULL, kind INTEGER NOT NULL, newest INTEGER NOT NULL, PRIMARY KEY(device, kind)) WITHOUT ROWID;`

func openMarks(ctx context.Context, dir string) (*marks, error) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, "marks.db"), "journal_mode(WAL)", "synchronous(FULL)"))
	if err != nil {
		return nil, fmt.Errorf("open journal's marks: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, marksSchema); err != nil {
		db.Close()
		return nil, fmt.Errorf("open journal's marks: %w", err)
	}
	return &marks{db}, nil
}

func (m *marks) close() { m.db.Close() }

func (m *marks) load(ctx context.Context, fn func(device string, id identity)) error {
	rows, err := m.db.QueryContext(ctx, `SELECT device, kind, newest FROM mark`)
	if err != nil {
		return fmt.Errorf("read journal's marks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var device string
		var id identity
		if err := rows.Scan(&device, &id.kind, &id.ts); err != nil {
			return fmt.Errorf("read journal's marks: %w", err)
		}
		fn(device, id)
	}
	return rows.Err()
}

// move sets marks forward.
func (m *marks) move(ctx context.Context, newest map[markKey]int64) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write journal's marks: %w", err)
	}
	defer tx.Rollback()
	st, err := tx.PrepareContext(ctx, `INSERT INTO mark VALUES(?,?,?) ON CONFLICT DO UPDATE SET newest=max(newest,excluded.newest)`)
	if err != nil {
		return fmt.Errorf("write journal's marks: %w", err)
	}
	defer st.Close()
	for k, ts := range newest {
		if _, err := st.ExecContext(ctx, k.device, k.kind, ts); err != nil {
			return fmt.Errorf("write journal's marks: %w", err)
		}
	}
	return tx.Commit()
}

type markKey struct {
	device string
	kind   uint8
}

// floors are before which fix times, ms, entries of devices may have been
// removed.
func (m *marks) floors(ctx context.Context) (map[string]int64, error) {
	rows, err := m.db.QueryContext(ctx, `SELECT device, before FROM floor`)
	if err != nil {
		return nil, fmt.Errorf("read journal's floors: %w", err)
	}
	defer rows.Close()
	by := map[string]int64{}
	for rows.Next() {
		var dev string
		var before int64
		if err := rows.Scan(&dev, &before); err != nil {
			return nil, fmt.Errorf("read journal's floors: %w", err)
		}
		by[dev] = before
	}
	return by, rows.Err()
}

// raise sets floors.
func (m *marks) raise(ctx context.Context, floors map[string]int64) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write journal's floors: %w", err)
	}
	defer tx.Rollback()
	for dev, before := range floors {
		if _, err := tx.ExecContext(ctx, `INSERT INTO floor VALUES(?,?) ON CONFLICT DO UPDATE SET before=max(before,excluded.before)`, dev, before); err != nil {
			return fmt.Errorf("write journal's floors: %w", err)
		}
	}
	return tx.Commit()
}
