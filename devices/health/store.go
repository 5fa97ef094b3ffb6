package health

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps silences that ended and when we listened.
type Store struct {
	db *sql.DB

	mu           sync.Mutex
	began, until int64 // of the span in which we listen; 0 before the first
}

// Open brings the tables up to date.
func Open(ctx context.Context, db *sql.DB) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, statedb.Migrate(ctx, db, files, "health_version")
}

// restless is for how long nobody may say that we listen before we did not.
const restless = time.Minute

// Listen notes that we listen at now. Call it every few seconds while devices
// can be heard.
func (s *Store) Listen(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ms := now.UnixMilli()
	if since := ms - s.until; s.began == 0 || since > restless.Milliseconds() || since < -restless.Milliseconds() {
		s.began = ms // or the clock was set back
	} else if since < 0 {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, `INSERT INTO health_listened VALUES(?,?) ON CONFLICT(began) DO UPDATE SET until=excluded.until`, s.began, ms); err != nil {
		return fmt.Errorf("note that devices are listened to: %w", err)
	}
	s.until = ms
	return nil
}

// Add keeps outages; one that is kept already changes nothing.
func (s *Store) Add(ctx context.Context, os []Outage) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep outages: %w", err)
	}
	defer tx.Rollback()
	for _, o := range os {
		if _, err := tx.ExecContext(ctx, `INSERT INTO health_outage VALUES(?,?,?,?) ON CONFLICT DO NOTHING`,
			string(o.Device), o.SeenAt.UnixMilli(), o.DueAt.UnixMilli(), o.BackAt.UnixMilli()); err != nil {
			return fmt.Errorf("keep outage of %s: %w", o.Device, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep outages: %w", err)
	}
	return nil
}

// DropBefore forgets what ended before t.
func (s *Store) DropBefore(ctx context.Context, t time.Time) error {
	for _, q := range []string{`DELETE FROM health_outage WHERE back_at < ?`, `DELETE FROM health_listened WHERE until < ?`} {
		if _, err := s.db.ExecContext(ctx, q, t.UnixMilli()); err != nil {
			return fmt.Errorf("drop old outages: %w", err)
		}
	}
	return nil
}

// Record reads what availability within w is made of; only of one device, when
// only is not empty.
func (s *Store) Record(ctx context.Context, w Span, only devices.ID) (*Record, error) {
	r := &Record{Window: w, Outages: map[devices.ID][]Outage{}}
	rows, err := s.db.QueryContext(ctx, `SELECT began, until FROM health_listened WHERE until > ? AND began < ? ORDER BY began`, w.From.UnixMilli(), w.To.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read when devices were listened to: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var began, until int64
		if err := rows.Scan(&began, &until); err != nil {
			return nil, fmt.Errorf("read when devices were listened to: %w", err)
		}
		r.listen(Span{time.UnixMilli(began), time.UnixMilli(until)}.within(w))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read when devices were listened to: %w", err)
	}
	outages, err := s.db.QueryContext(ctx, `SELECT device, seen_at, due_at, back_at FROM health_outage
		WHERE back_at > ? AND due_at < ? AND (device = ? OR ? = '') ORDER BY seen_at`, w.From.UnixMilli(), w.To.UnixMilli(), string(only), string(only))
	if err != nil {
		return nil, fmt.Errorf("read outages: %w", err)
	}
	defer outages.Close()
	for outages.Next() {
		var id devices.ID
		var seen, due, back int64
		if err := outages.Scan(&id, &seen, &due, &back); err != nil {
			return nil, fmt.Errorf("read outages: %w", err)
		}
		o := Outage{id, time.UnixMilli(seen).UTC(), time.UnixMilli(due).UTC(), time.UnixMilli(back).UTC()}
		if (Span{o.DueAt, o.BackAt}).overlap(r.Listened) > 0 { // else it was we who were away
			r.Outages[id] = append(r.Outages[id], o)
		}
	}
	return r, outages.Err()
}
