// Package changelog numbers what changes, so that a screen which was away can
// be given exactly what it missed. A change is written in the transaction that
// makes it; its number is the next of its channel, without gaps.
package changelog

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Change is one numbered change. JSON is the item as it was right after it.
type Change struct {
	Channel string
	Seq     int64
	ID      string
	At      time.Time
	JSON    json.RawMessage
}

// ErrTooOld says that changes after the asked one are no longer kept, or that
// the asked one lies in the future: the reader needs a fresh snapshot.
var ErrTooOld = errors.New("these changes are no longer kept")

// Log is the log of changes in a state database.
type Log struct {
	db    *sql.DB
	epoch string

	mu   sync.Mutex
	subs map[string]map[*Subscription]struct{}
}

// Open brings the tables up to date. The epoch is made once for a database, so
// a number from another database is recognised.
func Open(ctx context.Context, db *sql.DB) (*Log, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "changelog_version"); err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO change_epoch SELECT ? WHERE NOT EXISTS (SELECT 1 FROM change_epoch)`, rand.Text()); err != nil {
		return nil, fmt.Errorf("make epoch: %w", err)
	}
	l := &Log{db: db, subs: map[string]map[*Subscription]struct{}{}}
	return l, db.QueryRowContext(ctx, `SELECT epoch FROM change_epoch`).Scan(&l.epoch)
}

// Epoch names this history of numbers.
func (l *Log) Epoch() string { return l.epoch }

// Numbered is an item that carries the number of its own change.
type Numbered interface{ SetSeq(int64) }

// Append writes a change in tx and returns its number, which it also tells an
// item that is Numbered. After the commit, call Publish.
func (l *Log) Append(ctx context.Context, tx *sql.Tx, channel, id string, item any) (int64, error) {
	var seq int64
	// The transaction holds the write lock: nobody else takes this number.
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq),0)+1 FROM change WHERE channel = ?`, channel).Scan(&seq); err != nil {
		return 0, fmt.Errorf("number change of %s: %w", id, err)
	}
	if n, ok := item.(Numbered); ok {
		n.SetSeq(seq)
	}
	b, err := json.Marshal(item)
	if err != nil {
		return 0, fmt.Errorf("encode change of %s: %w", id, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO change(channel,seq,id,at,item) VALUES(?,?,?,?,?)`, channel, seq, id, time.Now().UnixMilli(), b); err != nil {
		return 0, fmt.Errorf("append change of %s: %w", id, err)
	}
	return seq, nil
}

// Publish wakes who subscribes to channel.
func (l *Log) Publish(channel string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.subs[channel] {
		select {
		case s.c <- struct{}{}:
		default:
		}
	}
}

// Since returns at most limit changes after the number after, in order and
// without a gap, or ErrTooOld.
func (l *Log) Since(ctx context.Context, channel string, after int64, limit int) ([]Change, error) {
	var first, last int64
	if err := l.db.QueryRowContext(ctx, `SELECT coalesce(min(seq),1), coalesce(max(seq),0) FROM change WHERE channel = ?`, channel).Scan(&first, &last); err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	if after < first-1 || after > last {
		return nil, ErrTooOld
	}
	rows, err := l.db.QueryContext(ctx, `SELECT seq,id,at,item FROM change WHERE channel = ? AND seq > ? ORDER BY seq LIMIT ?`, channel, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	var cs []Change
	for rows.Next() {
		c := Change{Channel: channel}
		var at int64
		if err := rows.Scan(&c.Seq, &c.ID, &at, &c.JSON); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		c.At = time.UnixMilli(at).UTC()
		cs = append(cs, c)
	}
	// Trim may have run between the two statements.
	if len(cs) > 0 && cs[0].Seq != after+1 {
		return nil, ErrTooOld
	}
	return cs, rows.Err()
}

// Last is the newest number of a channel; 0 before the first change.
func (l *Log) Last(ctx context.Context, channel string) (seq int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT coalesce(max(seq),0) FROM change WHERE channel = ?`, channel).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("read last change of %s: %w", channel, err)
	}
	return seq, nil
}

// redact finds the changes by their index, which SQLite does not take by itself.
const redact = `UPDATE change SET item = CAST(json_set(?, '$.seq', seq) AS BLOB) WHERE channel = ? AND seq IN (SELECT seq FROM change WHERE channel = ? AND id = ?)`

// Redact has the earlier changes of an item show no more than item, each under
// its own number: what was taken out of it is not to be had from there.
func (l *Log) Redact(ctx context.Context, tx *sql.Tx, channel, id string, item any) error {
	b, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("encode change of %s: %w", id, err)
	}
	if _, err := tx.ExecContext(ctx, redact, string(b), channel, channel, id); err != nil {
		return fmt.Errorf("redact changes of %s: %w", id, err)
	}
	return nil
}

// Trim keeps the newest keep changes of each channel, and always the very
// newest: the next number is counted from it.
func (l *Log) Trim(ctx context.Context, keep int) error {
	_, err := l.db.ExecContext(ctx, `DELETE FROM change AS old WHERE seq <= (SELECT max(c.seq) FROM change c WHERE c.channel = old.channel) - ?`, max(keep, 1))
	if err != nil {
		return fmt.Errorf("trim changes: %w", err)
	}
	return nil
}

// Subscription wakes its holder when a channel changed.
type Subscription struct {
	l       *Log
	channel string
	c       chan struct{}
}

// Subscribe starts listening; Close it.
func (l *Log) Subscribe(channel string) *Subscription {
	s := &Subscription{l, channel, make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.subs[channel] == nil {
		l.subs[channel] = map[*Subscription]struct{}{}
	}
	l.subs[channel][s] = struct{}{}
	return s
}

// C receives after one or more changes were published.
func (s *Subscription) C() <-chan struct{} { return s.c }

// Close ends the subscription.
func (s *Subscription) Close() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	delete(s.l.subs[s.channel], s)
}
