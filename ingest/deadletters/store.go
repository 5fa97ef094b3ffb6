// Package deadletters keeps the messages that could not be taken, with their
// bytes and the reason, so that nothing vanishes and all can be replayed.
package deadletters

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
	"haidang/ingest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// keep is how many dead letters are held; beyond it the oldest go first.
const keep = 100_000

// Store is a SQLite file of dead letters. It has a file of its own so that a
// flood of garbage does not wait for, or hold up, anything else.
type Store struct {
	db    *sql.DB
	added int
}

// Open opens or creates the store at path.
func Open(ctx context.Context, path string) (*Store, error) {
	db, err := statedb.Open(path)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "dead_letter_version"); err != nil {
		db.Close()
		return nil, err
	}
	return &Store{db: db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Add keeps letters, synced, and sets their IDs.
func (s *Store) Add(ctx context.Context, letters []ingest.DeadLetter) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("add dead letters: %w", err)
	}
	defer tx.Rollback()
	for i := range letters {
		l := &letters[i]
		if l.Payload == nil {
			l.Payload = []byte{}
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO dead_letter(received_at,source,topic,device,stage,code,message,payload,size,status)
			VALUES(?,?,?,?,?,?,?,?,?,?)`, l.ReceivedAt.UnixMilli(), l.Source, l.Topic, string(l.Device), string(l.Stage), l.Code, l.Message, l.Payload, l.Size, l.Status)
		if err != nil {
			return fmt.Errorf("add dead letter: %w", err)
		}
		if l.ID, err = res.LastInsertId(); err != nil {
			return err
		}
	}
	if s.added += len(letters); s.added >= 1000 {
		s.added = 0
		if _, err := tx.ExecContext(ctx, `DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?`, keep); err != nil {
			return fmt.Errorf("drop oldest dead letters: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("add dead letters: %w", err)
	}
	return nil
}

// Filter narrows a list. Zero members do not.
type Filter struct {
	Stage    ingest.Stage
	Device   devices.ID
	Code     string
	From, To time.Time // by time of arrival
	Limit    int       // at most 1,000; 0 means 100
	Before   int64     // continue below this ID
}

const columns = `id,received_at,source,topic,device,stage,code,message,payload,size,status`

// List returns dead letters, newest first; next continues below the last one
// and is 0 at the end.
func (s *Store) List(ctx context.Context, f Filter) (items []ingest.DeadLetter, next int64, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	where, args := []string{"1"}, []any{}
	add := func(cond string, arg any) { where = append(where, cond); args = append(args, arg) }
	if f.Stage != "" {
		add("stage = ?", string(f.Stage))
	}
	if f.Device != "" {
		add("device = ?", string(f.Device))
	}
	if f.Code != "" {
		add("code = ?", f.Code)
	}
	if !f.From.IsZero() {
		add("received_at >= ?", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		add("received_at < ?", f.To.UnixMilli())
	}
	if f.Before > 0 {
		add("id < ?", f.Before)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM dead_letter WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list dead letters: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scan(rows)
		if err != nil {
			return nil, 0, err
		}
		items = append(items, l)
	}
	if len(items) > limit {
		items = items[:limit]
		next = items[limit-1].ID
	}
	return items, next, rows.Err()
}

func scan(row interface{ Scan(...any) error }) (ingest.DeadLetter, error) {
	var l ingest.DeadLetter
	var at int64
	err := row.Scan(&l.ID, &at, &l.Source, &l.Topic, &l.Device, &l.Stage, &l.Code, &l.Message, &l.Payload, &l.Size, &l.Status)
	l.ReceivedAt = time.UnixMilli(at).UTC()
	return l, err
}

// Get returns one dead letter, or devices.ErrNotFound.
func (s *Store) Get(ctx context.Context, id int64) (ingest.DeadLetter, error) {
	l, err := scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM dead_letter WHERE id = ?`, id))
	if err == sql.ErrNoRows {
		return l, fmt.Errorf("dead letter %d: %w", id, devices.ErrNotFound)
	}
	return l, err
}

// MarkReplayed notes that a dead letter's bytes were taken after all.
func (s *Store) MarkReplayed(ctx context.Context, id int64) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE dead_letter SET status = 'replayed' WHERE id = ?`, id); err != nil {
		return fmt.Errorf("mark dead letter %d: %w", id, err)
	}
	return nil
}

// Count is how many dead letters wait to be looked at.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM dead_letter WHERE status = 'new'`).Scan(&n)
	return n, err
}
