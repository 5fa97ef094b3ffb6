// Package deadletters keeps the messages that could not be taken, with their
// bytes and the reason, so that nothing vanishes and all can be replayed.
package deadletters

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

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
	if err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(`+kept+`),0) FROM dead_letter`).Scan(&st.held, &st.bytes); err != nil {
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
		l.Kept = len(l.Payload)
		head, rest := l.Payload[:min(l.Kept, HeadBytes)], l.Payload[min(l.Kept, HeadBytes):]
		res, err := tx.ExecContext(ctx, `INSERT INTO dead_letter(received_at,source,sender,topic,format,version,device,stage,code,message,size,status,head,rest)
			VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, l.ReceivedAt.UnixMilli(), l.Source, l.Sender, l.Topic, l.Format, l.Version, string(l.Device), string(l.Stage), l.Code, l.Message, l.Size, l.Status, head, rest)
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
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(bytes),0), coalesce(max(id),0) FROM
			(SELECT id, `+kept+` AS bytes FROM dead_letter ORDER BY id LIMIT ?)`, s.atOnce).Scan(&n, &b, &last); err != nil {
			return 0, 0, fmt.Errorf("find oldest dead letters: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM dead_letter WHERE id <= ?`, last); err != nil {
			return 0, 0, fmt.Errorf("drop oldest dead letters: %w", err)
		}
		goneN, goneBytes = goneN+n, goneBytes+b
	}
	return goneN, goneBytes, nil
}

// MarkReplayed notes that the bytes of dead letters went through the pipeline
// again, of all or of none.
func (s *Store) MarkReplayed(ctx context.Context, ids ...int64) error {
	list, _ := json.Marshal(ids) // numbers always marshal
	if _, err := s.db.ExecContext(ctx, `UPDATE dead_letter SET status = 'replayed', discarded_at = 0 WHERE id IN (SELECT value FROM json_each(?))`, string(list)); err != nil {
		return fmt.Errorf("mark %d dead letters as replayed: %w", len(ids), err)
	}
	return nil
}

// Discard sets aside those that match and are new, and returns how many: they
// stay readable until room is needed. By the time given, at, which is kept to
// the millisecond, Restore finds just these. A Filter with another Status than
// "new" is a *devices.FieldError.
func (s *Store) Discard(ctx context.Context, f Filter, at time.Time) (int64, error) {
	f, err := f.only("new", "discarded")
	if err != nil {
		return 0, err
	}
	return s.set(ctx, f, "discarded", at.UnixMilli())
}

// Restore makes those that match and are discarded new again, and returns how
// many. A Filter with another Status than "discarded" is a *devices.FieldError.
func (s *Store) Restore(ctx context.Context, f Filter) (int64, error) {
	f, err := f.only("discarded", "restored")
	if err != nil {
		return 0, err
	}
	return s.set(ctx, f, "new", 0)
}

func (s *Store) set(ctx context.Context, f Filter, status string, discardedAt int64) (int64, error) {
	where, args := f.where()
	res, err := s.db.ExecContext(ctx, `UPDATE dead_letter SET status = ?, discarded_at = ? WHERE `+where, append([]any{status, discardedAt}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("make dead letters %s: %w", status, err)
	}
	return res.RowsAffected()
}

// Count is how many dead letters wait to be looked at.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM dead_letter WHERE status = 'new'`).Scan(&n)
	return n, err
}
