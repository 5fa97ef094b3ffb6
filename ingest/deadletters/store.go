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
	"sync"
	"sync/atomic"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
	"haidang/ingest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Bounds: beyond either, the oldest go first, and are counted.
const (
	keep      = 100_000
	keepBytes = 1 << 30
	atOnce    = 1000 // go together, so that it is not done for every letter
)

// Store is a SQLite file of dead letters. It has a file of its own so that a
// flood of garbage does not wait for, or hold up, anything else.
type Store struct {
	db *sql.DB
	// mu guards the totals, which are known without asking the file.
	mu      sync.Mutex
	bytes   int64
	held    int64
	dropped atomic.Int64
	// The bounds; tests have smaller ones.
	keep, keepBytes, atOnce int64
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
	st := &Store{db: db, keep: keep, keepBytes: keepBytes, atOnce: atOnce}
	if err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(payload)),0) FROM dead_letter`).Scan(&st.held, &st.bytes); err != nil {
		db.Close()
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	return st, nil
}

// Dropped is how many were dropped for want of room since the program began.
func (s *Store) Dropped() int64 { return s.dropped.Load() }

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Add keeps letters, synced, and sets their IDs.
func (s *Store) Add(ctx context.Context, letters []ingest.DeadLetter) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("add dead letters: %w", err)
	}
	defer tx.Rollback()
	s.mu.Lock()
	defer s.mu.Unlock()
	held, bytes := s.held+int64(len(letters)), s.bytes
	for i := range letters {
		l := &letters[i]
		bytes += int64(len(l.Payload))
		if l.Payload == nil {
			l.Payload = []byte{}
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO dead_letter(received_at,source,sender,topic,format,version,device,stage,code,message,payload,size,status)
			VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)`, l.ReceivedAt.UnixMilli(), l.Source, l.Sender, l.Topic, l.Format, l.Version, string(l.Device), string(l.Stage), l.Code, l.Message, l.Payload, l.Size, l.Status)
		if err != nil {
			return fmt.Errorf("add dead letter: %w", err)
		}
		if l.ID, err = res.LastInsertId(); err != nil {
			return err
		}
	}
	goneN, goneBytes, err := s.makeRoom(ctx, tx, held, bytes)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("add dead letters: %w", err)
	}
	s.held, s.bytes = held-goneN, bytes-goneBytes
	s.dropped.Add(goneN)
	return nil
}

// makeRoom drops the oldest until both bounds are kept.
func (s *Store) makeRoom(ctx context.Context, tx *sql.Tx, held, bytes int64) (goneN, goneBytes int64, err error) {
	for held-goneN > s.keep || bytes-goneBytes > s.keepBytes {
		var n, b, last int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(payload)),0), coalesce(max(id),0) FROM
			(SELECT id, payload FROM dead_letter ORDER BY id LIMIT ?)`, s.atOnce).Scan(&n, &b, &last); err != nil {
			return 0, 0, fmt.Errorf("find oldest dead letters: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM dead_letter WHERE id <= ?`, last); err != nil {
			return 0, 0, fmt.Errorf("drop oldest dead letters: %w", err)
		}
		goneN, goneBytes = goneN+n, goneBytes+b
	}
	return goneN, goneBytes, nil
}

// Filter narrows a list. Zero members do not.
type Filter struct {
	Stage    ingest.Stage
	Device   devices.ID
	Code     string
	Format   string
	Version  string    // of the decoder
	Status   string    // "new", "replayed", "discarded"
	From, To time.Time // by time of arrival
	Limit    int       // at most 1,000; 0 means 100
	Before   int64     // continue below this ID
}

// Native is the name of the native form in a Filter.
const Native = "native"

// where is the filter as SQL.
func (f Filter) where() (string, []any) {
	where, args := []string{"1"}, []any{}
	add := func(cond string, arg any) { where = append(where, cond); args = append(args, arg) }
	if f.Format == Native {
		where, f.Format = append(where, "format = ''"), ""
	}
	for column, v := range map[string]string{"stage": string(f.Stage), "device": string(f.Device), "code": f.Code, "format": f.Format, "version": f.Version, "status": f.Status} {
		if v != "" {
			add(column+" = ?", v)
		}
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
	return strings.Join(where, " AND "), args
}

const columns = `id,received_at,source,sender,topic,format,version,device,stage,code,message,payload,size,status`

// List returns dead letters, newest first; next continues below the last one
// and is 0 at the end.
func (s *Store) List(ctx context.Context, f Filter) (items []ingest.DeadLetter, next int64, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM dead_letter WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit+1)...)
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
	err := row.Scan(&l.ID, &at, &l.Source, &l.Sender, &l.Topic, &l.Format, &l.Version, &l.Device, &l.Stage, &l.Code, &l.Message, &l.Payload, &l.Size, &l.Status)
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

// MarkReplayed notes that a dead letter's bytes went through the pipeline again.
func (s *Store) MarkReplayed(ctx context.Context, id int64) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE dead_letter SET status = 'replayed' WHERE id = ?`, id); err != nil {
		return fmt.Errorf("mark dead letter %d: %w", id, err)
	}
	return nil
}

// Discard sets aside those that match and are new, and returns how many: they
// stay readable until room is needed.
func (s *Store) Discard(ctx context.Context, f Filter) (int64, error) {
	f.Status = "new"
	where, args := f.where()
	res, err := s.db.ExecContext(ctx, `UPDATE dead_letter SET status = 'discarded' WHERE `+where, args...)
	if err != nil {
		return 0, fmt.Errorf("discard dead letters: %w", err)
	}
	return res.RowsAffected()
}

// Restore undoes Discard for those that match, and returns how many.
func (s *Store) Restore(ctx context.Context, f Filter) (int64, error) {
	f.Status = "discarded"
	where, args := f.where()
	res, err := s.db.ExecContext(ctx, `UPDATE dead_letter SET status = 'new' WHERE `+where, args...)
	if err != nil {
		return 0, fmt.Errorf("restore dead letters: %w", err)
	}
	return res.RowsAffected()
}

// Count is how many dead letters wait to be looked at.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM dead_letter WHERE status = 'new'`).Scan(&n)
	return n, err
}
