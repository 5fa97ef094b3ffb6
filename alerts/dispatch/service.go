package dispatch

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/audit"
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
	audit *audit.Log
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
	trail, err := audit.Open(ctx, db)
	if err != nil {
		return nil, err
	}
	crews, err := shippedCrews()
	return &Service{db, log, trail, crews}, err
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
	// Area is where it is; empty when that is not known.
	Area areas.Ref `json:"-"`
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
	if err := checkPlace(n.Lat, n.Lon); err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	w := &WorkOrder{ID: uuid.Must(uuid.NewV7()).String(), Title: n.Title, Instructions: n.Instructions, State: Offered, Crew: crew.ID, CrewName: crew.Name,
		Alert: n.Alert, Report: n.Report, Lat: n.Lat, Lon: n.Lon, Area: n.Area.Code, AreaVersion: n.Area.String(), Priority: n.Priority, CreatedAt: now, CreatedBy: n.By, UpdatedAt: now,
		Timeline: []Event{{At: now, ReceivedAt: now, State: Offered, By: n.By}}, Photos: []string{}}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		if n.ClientID != "" {
			var id string
			err := tx.QueryRowContext(ctx, `SELECT id FROM work_order WHERE client_id = ?`, n.ClientID).Scan(&id)
			if err == nil {
				w, err = s.get(ctx, tx, id)
				return err
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if err := s.put(ctx, tx, w); err != nil {
			return err
		}
		if err := s.note(ctx, tx, "create", w, "", ""); err != nil || n.ClientID == "" {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE work_order SET client_id = ? WHERE id = ?`, n.ClientID, w.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// checkPlace refuses what is no place on earth; both nil is no place, and fine.
func checkPlace(lat, lon *float64) error {
	switch {
	case lat == nil && lon == nil:
		return nil
	case lat == nil || lon == nil:
		return &devices.FieldError{Field: "lat", Reason: "lat and lon belong together; only one was given"}
	case !(math.Abs(*lat) <= 90) || !(math.Abs(*lon) <= 180):
		reason := fmt.Sprintf("latitude %g, longitude %g is no place on earth: latitude goes from -90 to 90, longitude from -180 to 180", *lat, *lon)
		if math.Abs(*lat) <= 180 && math.Abs(*lon) <= 90 {
			reason = fmt.Sprintf("latitude %g and longitude %g look swapped", *lat, *lon)
		}
		return &devices.FieldError{Field: "lat", Reason: reason}
	}
	return nil
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
	if len(a.ClientEventID) > 64 {
		return nil, &devices.FieldError{Field: "client_event_id", Reason: "at most 64 bytes"}
	}
	if err := checkPlace(a.Lat, a.Lon); err != nil {
		return nil, err
	}
	var w *WorkOrder
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		if w, err = s.get(ctx, tx, id); err != nil {
			return err
		}
		if a.ClientEventID != "" {
			again, err := known(ctx, tx, a.ClientEventID, id, name)
			if err != nil || again {
				return err
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
		was := w.State
		w.State, w.UpdatedAt = st.to, now
		w.Timeline = append(w.Timeline, Event{At: a.At.UTC(), ReceivedAt: now, State: st.to, By: a.By, Text: a.Text, Lat: a.Lat, Lon: a.Lon, Photos: a.Photos})
		w.Photos = append(w.Photos, a.Photos...)
		if err := s.put(ctx, tx, w); err != nil {
			return err
		}
		return s.note(ctx, tx, strings.ReplaceAll(name, "-", "_"), w, was, a.Text)
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// note records an act in the audit log.
func (s *Service) note(ctx context.Context, tx *sql.Tx, act string, w *WorkOrder, was State, why string) error {
	e := audit.Entry{Action: "workorder." + act, Kind: "workorder", ID: w.ID, Why: why}
	var err error
	if e.After, err = json.Marshal(map[string]any{"state": w.State, "crew": w.Crew}); err != nil {
		return err
	}
	if was != "" {
		if e.Before, err = json.Marshal(map[string]any{"state": was, "crew": w.Crew}); err != nil {
			return err
		}
	}
	return s.audit.Append(ctx, tx, e)
}

// known notes a step's client event id, or says that the same step was taken
// under it before. Under one id there is one step of one order.
func known(ctx context.Context, tx *sql.Tx, event, order, step string) (bool, error) {
	var wasOrder, wasStep string
	err := tx.QueryRowContext(ctx, `SELECT work_order, step FROM work_order_event WHERE client_event_id = ?`, event).Scan(&wasOrder, &wasStep)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO work_order_event(client_event_id, work_order, step) VALUES(?,?,?)`, event, order, step)
		return false, err
	case err != nil:
		return false, err
	case wasOrder != order || wasStep != "" && wasStep != step:
		return false, fmt.Errorf("client_event_id %.64q was used for another step or work order: %w", event, devices.ErrConflict)
	}
	return true, nil
}

func (s *Service) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	if err := statedb.Change(ctx, s.db, fn); err != nil {
		return err
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
	_, err = tx.ExecContext(ctx, `INSERT INTO work_order(id,crew,state,updated_at,created_at,area_version,body) VALUES(?,?,?,?,?,?,?)
		ON CONFLICT(id) DO UPDATE SET state=excluded.state, updated_at=excluded.updated_at, body=excluded.body`,
		w.ID, w.Crew, w.State, w.UpdatedAt.UnixMilli(), w.CreatedAt.UnixMilli(), w.AreaVersion, string(body))
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
