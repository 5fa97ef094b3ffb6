package alerts

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/personal"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Channel is the alerts' channel in the log of changes.
const Channel = "alerts"

// Store keeps alerts.
type Store struct {
	db    *sql.DB
	log   *changelog.Log
	audit *audit.Log
}

// NewStore brings the tables up to date.
func NewStore(ctx context.Context, db *sql.DB, log *changelog.Log) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	trail, err := audit.Open(ctx, db)
	if err != nil {
		return nil, err
	}
	return &Store{db, log, trail}, statedb.Migrate(ctx, db, files, "alerts_version")
}

// Begin opens a transaction in which several alerts change together.
func (s *Store) Begin(ctx context.Context) (*sql.Tx, error) { return s.db.BeginTx(ctx, nil) }

// Published wakes the readers of changes; call it after the commit.
func (s *Store) Published() { s.log.Publish(Channel) }

// Put writes an alert as it now is and numbers the change.
func (s *Store) Put(ctx context.Context, tx *sql.Tx, a *Alert) error {
	if _, err := s.log.Append(ctx, tx, Channel, a.ID, a); err != nil {
		return err
	}
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode alert %s: %w", a.ID, err)
	}
	var cleared any
	if a.ClearedAt != nil {
		cleared = a.ClearedAt.UnixMilli()
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO alert(id,key,state,severity,device,acked,started_at,cleared_at,updated_at,area_version,body) VALUES(?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT(id) DO UPDATE SET state=excluded.state, acked=excluded.acked, started_at=excluded.started_at, cleared_at=excluded.cleared_at,
		updated_at=excluded.updated_at, area_version=excluded.area_version, body=excluded.body`,
		a.ID, a.Key(), a.State, a.Severity, a.Device, a.AckedAt != nil, a.StartedAt.UnixMilli(), cleared, time.Now().UnixMilli(), a.AreaVersion, string(body))
	if err != nil {
		return fmt.Errorf("keep alert %s: %w", a.ID, err)
	}
	return nil
}

// Filter narrows a list. Zero members do not.
type Filter struct {
	State    State
	Severity Severity
	Device   string
	// Board asks for what the wall shows: all open ones, and those closed
	// since Since that nobody acknowledged.
	Board  bool
	Since  time.Time
	Limit  int   // at most 1,000; 0 means 200
	Before int64 // continue below this cursor
}

// List returns alerts, newest first; next is 0 at the end.
func (s *Store) List(ctx context.Context, f Filter) (items []*Alert, next int64, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 200
	}
	limit = min(limit, 1000)
	if f.Board {
		limit = 10_000
	}
	where, args := []string{"1"}, []any{}
	add := func(cond string, a ...any) { where, args = append(where, cond), append(args, a...) }
	if f.State != "" {
		add("state = ?", f.State)
	}
	if f.Severity != "" {
		add("severity = ?", f.Severity)
	}
	if f.Device != "" {
		add("device = ?", f.Device)
	}
	if f.Board {
		add("(state = 'open' OR (acked = 0 AND updated_at >= ?))", f.Since.UnixMilli())
	}
	if f.Before > 0 {
		add("rowid < ?", f.Before)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT body, rowid FROM alert WHERE `+strings.Join(where, " AND ")+` ORDER BY rowid DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list alerts: %w", err)
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		var body string
		var rowid int64
		if err := rows.Scan(&body, &rowid); err != nil {
			return nil, 0, err
		}
		if len(items) == limit {
			return items, last, nil
		}
		a := &Alert{}
		if err := json.Unmarshal([]byte(body), a); err != nil {
			return nil, 0, fmt.Errorf("read alert: %w", err)
		}
		items, last = append(items, a), rowid
	}
	return items, 0, rows.Err()
}

// AllOpen returns every open alert, however many.
func (s *Store) AllOpen(ctx context.Context) ([]*Alert, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM alert WHERE state = 'open'`)
	if err != nil {
		return nil, fmt.Errorf("list open alerts: %w", err)
	}
	defer rows.Close()
	var items []*Alert
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		a := &Alert{}
		if err := json.Unmarshal([]byte(body), a); err != nil {
			return nil, fmt.Errorf("read alert: %w", err)
		}
		items = append(items, a)
	}
	return items, rows.Err()
}

// Get returns one alert, or devices.ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (*Alert, error) {
	return get(ctx, s.db, id)
}

func get(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, id string) (*Alert, error) {
	var body string
	err := q.QueryRowContext(ctx, `SELECT body FROM alert WHERE id = ?`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("alert %.40s: %w", id, devices.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	a := &Alert{}
	return a, json.Unmarshal([]byte(body), a)
}

// record is what the audit log keeps of an alert: what people do to it.
func (a *Alert) record() json.RawMessage {
	b, err := json.Marshal(struct {
		Rule    string     `json:"rule"`
		Device  string     `json:"device"`
		State   State      `json:"state"`
		AckedAt *time.Time `json:"acked_at,omitempty"`
		AckedBy string     `json:"acked_by,omitempty"`
	}{a.Rule, a.Device, a.State, a.AckedAt, a.AckedBy})
	if err != nil {
		panic(err) // texts and a time always have a form
	}
	return b
}

// Ack notes that somebody has seen the alert. The first one counts: doing it
// again changes nothing.
func (s *Store) Ack(ctx context.Context, id, by, note string) (*Alert, error) {
	if len(note) > 2000 {
		return nil, &devices.FieldError{Field: "note", Reason: "at most 2,000 bytes"}
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	a, err := get(ctx, tx, id)
	if err != nil || a.AckedAt != nil {
		return a, err
	}
	now, before := time.Now().UTC().Truncate(time.Millisecond), a.record()
	note = personal.Text(note) // all who see the alert read it
	a.AckedAt, a.AckedBy, a.AckNote = &now, by, note
	if err := s.Put(ctx, tx, a); err != nil {
		return nil, err
	}
	if err := s.audit.Append(ctx, tx, audit.Entry{Action: "alert.ack", Kind: "alert", ID: a.ID, Before: before, After: a.record(), Why: note}); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("acknowledge alert: %w", err)
	}
	s.Published()
	return a, nil
}

// Counts says how many alerts are open by severity, and how many of them
// nobody has acknowledged.
func (s *Store) Counts(ctx context.Context) (bySeverity map[Severity]int, unacked int, err error) {
	bySeverity = map[Severity]int{Critical: 0, Major: 0, Minor: 0, Info: 0}
	rows, err := s.db.QueryContext(ctx, `SELECT severity, count(*), sum(acked = 0) FROM alert WHERE state = 'open' GROUP BY severity`)
	if err != nil {
		return nil, 0, fmt.Errorf("count alerts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var sev Severity
		var n, u int
		if err := rows.Scan(&sev, &n, &u); err != nil {
			return nil, 0, err
		}
		bySeverity[sev] = n
		unacked += u
	}
	return bySeverity, unacked, rows.Err()
}

// GetIn is Get inside a transaction.
func (s *Store) GetIn(ctx context.Context, tx *sql.Tx, id string) (*Alert, error) {
	return get(ctx, tx, id)
}
