package dispatch

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

	"github.com/google/uuid"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Channel is the work orders' channel in the log of changes.
const Channel = "work-orders"

// Service keeps work orders and crews.
type Service struct {
	db    *sql.DB
	log   *changelog.Log
	crews []Crew
}

// New brings the tables up to date.
func New(ctx context.Context, db *sql.DB, log *changelog.Log) (*Service, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "dispatch_version"); err != nil {
		return nil, err
	}
	crews, err := shippedCrews()
	return &Service{db, log, crews}, err
}

// NewWorkOrder is what somebody asks of a crew.
type NewWorkOrder struct {
	Crew         string   `json:"crew"`
	Alert        string   `json:"alert"`
	Report       string   `json:"report"`
	Title        string   `json:"title"`
	Instructions string   `json:"instructions"`
	Priority     string   `json:"priority"`
	Lat          *float64 `json:"lat"`
	Lon          *float64 `json:"lon"`
	// ClientID makes asking again harmless.
	ClientID string `json:"client_id"`
	By       string `json:"-"`
}

// Create gives a crew a work order.
func (s *Service) Create(ctx context.Context, n NewWorkOrder) (*WorkOrder, error) {
	n.Title = strings.TrimSpace(n.Title)
	crew, ok := s.crew(n.Crew)
	switch {
	case !ok:
		return nil, &devices.FieldError{Field: "crew", Reason: fmt.Sprintf("%.40q is no crew; GET /api/v1/crews lists them", n.Crew)}
	case n.Title == "":
		return nil, &devices.FieldError{Field: "title", Reason: "say in a few words what is to be done"}
	case len(n.Title) > 300 || len(n.Instructions) > 8000 || len(n.ClientID) > 64:
		return nil, &devices.FieldError{Field: "title", Reason: "at most 300 bytes of title and 8,000 of instructions"}
	}
	switch n.Priority {
	case "":
		n.Priority = "normal"
	case "urgent", "normal", "low":
	default:
		return nil, &devices.FieldError{Field: "priority", Reason: "priority is urgent, normal or low"}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	w := &WorkOrder{ID: uuid.Must(uuid.NewV7()).String(), Title: n.Title, Instructions: n.Instructions, State: Offered, Crew: crew.ID, CrewName: crew.Name,
		Alert: n.Alert, Report: n.Report, Lat: n.Lat, Lon: n.Lon, Priority: n.Priority, CreatedAt: now, CreatedBy: n.By, UpdatedAt: now,
		Timeline: []Event{{At: now, ReceivedAt: now, State: Offered, By: n.By}}, Photos: []string{}}
	var clientID *string
	if n.ClientID != "" {
		clientID = &n.ClientID
		var id string
		if err := s.db.QueryRowContext(ctx, `SELECT id FROM work_order WHERE client_id = ?`, n.ClientID).Scan(&id); err == nil {
			return s.Get(ctx, id)
		}
	}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		if err := s.put(ctx, tx, w); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE work_order SET client_id = ? WHERE id = ?`, clientID, w.ID)
		return err
	})
	return w, err
}

// Action is one step taken by somebody.
type Action struct {
	By   string
	Text string
	// At is when it was done, by the phone's clock; zero means now.
	At       time.Time
	Lat, Lon *float64
	// Photos are SHA-256 of stored pictures.
	Photos []string
	// ClientEventID makes sending again harmless.
	ClientEventID string
}

// Apply takes a step: accept, decline, en-route, on-scene, resolve or cancel. A
// step that does not fit the state is devices.ErrConflict; one that was taken
// under the same ClientEventID before changes nothing.
func (s *Service) Apply(ctx context.Context, id, name string, a Action) (*WorkOrder, error) {
	st, ok := steps[name]
	if !ok {
		return nil, fmt.Errorf("step %.20q of a work order: %w", name, devices.ErrNotFound)
	}
	if a.Text = strings.TrimSpace(a.Text); len(a.Text) > 8000 {
		return nil, &devices.FieldError{Field: "text", Reason: "at most 8,000 bytes"}
	}
	var w *WorkOrder
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		if w, err = s.get(ctx, tx, id); err != nil {
			return err
		}
		if a.ClientEventID != "" {
			res, err := tx.ExecContext(ctx, `INSERT INTO work_order_event VALUES(?,?) ON CONFLICT DO NOTHING`, a.ClientEventID, id)
			if err != nil {
				return err
			}
			if n, _ := res.RowsAffected(); n == 0 {
				return nil
			}
		}
		if st.needsText != "" && a.Text == "" {
			return &devices.FieldError{Field: "text", Reason: st.needsText}
		}
		fits := false
		for _, f := range st.from {
			fits = fits || f == w.State
		}
		if !fits {
			return fmt.Errorf("a work order that is %s cannot take the step %s: %w", w.State, name, devices.ErrConflict)
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		if a.At.IsZero() || a.At.After(now) {
			a.At = now
		}
		w.State, w.UpdatedAt = st.to, now
		w.Timeline = append(w.Timeline, Event{At: a.At.UTC(), ReceivedAt: now, State: st.to, By: a.By, Text: a.Text, Lat: a.Lat, Lon: a.Lon, Photos: a.Photos})
		w.Photos = append(w.Photos, a.Photos...)
		return s.put(ctx, tx, w)
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (s *Service) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep work order: %w", err)
	}
	s.log.Publish(Channel)
	return nil
}

func (s *Service) put(ctx context.Context, tx *sql.Tx, w *WorkOrder) error {
	if _, err := s.log.Append(ctx, tx, Channel, w.ID, w); err != nil {
		return err
	}
	body, err := json.Marshal(w)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO work_order(id,crew,state,updated_at,body) VALUES(?,?,?,?,?)
		ON CONFLICT(id) DO UPDATE SET state=excluded.state, updated_at=excluded.updated_at, body=excluded.body`,
		w.ID, w.Crew, w.State, w.UpdatedAt.UnixMilli(), string(body))
	return err
}

// Get returns one work order, or devices.ErrNotFound.
func (s *Service) Get(ctx context.Context, id string) (*WorkOrder, error) {
	return s.get(ctx, s.db, id)
}

func (s *Service) get(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, id string) (*WorkOrder, error) {
	var body string
	err := q.QueryRowContext(ctx, `SELECT body FROM work_order WHERE id = ?`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("work order %.40s: %w", id, devices.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	w := &WorkOrder{}
	return w, json.Unmarshal([]byte(body), w)
}

// Filter narrows a list. Zero members do not.
type Filter struct {
	State State
	Crew  string
	// Active leaves out what ended before Since.
	Active bool
	Since  time.Time
	Limit  int // at most 1,000; 0 means 200
}

// List returns work orders, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]*WorkOrder, error) {
	where, args := "1", []any{}
	if f.State != "" {
		where, args = where+" AND state = ?", append(args, f.State)
	}
	if f.Crew != "" {
		where, args = where+" AND crew = ?", append(args, f.Crew)
	}
	if f.Active {
		where, args = where+" AND (state IN ('offered','accepted','en_route','on_scene') OR updated_at >= ?)", append(args, f.Since.UnixMilli())
	}
	if f.Limit <= 0 || f.Limit > 1000 {
		f.Limit = 200
	}
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM work_order WHERE `+where+` ORDER BY rowid DESC LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list work orders: %w", err)
	}
	defer rows.Close()
	var ws []*WorkOrder
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		w := &WorkOrder{}
		if err := json.Unmarshal([]byte(body), w); err != nil {
			return nil, err
		}
		ws = append(ws, w)
	}
	return ws, rows.Err()
}

// Counts says how many work orders are in each state.
func (s *Service) Counts(ctx context.Context) (map[State]int, error) {
	by := map[State]int{Offered: 0, Accepted: 0, EnRoute: 0, OnScene: 0}
	rows, err := s.db.QueryContext(ctx, `SELECT state, count(*) FROM work_order GROUP BY state`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var st State
		var n int
		if err := rows.Scan(&st, &n); err != nil {
			return nil, err
		}
		by[st] = n
	}
	return by, rows.Err()
}
