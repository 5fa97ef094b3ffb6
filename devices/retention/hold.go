package retention

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Hold keeps things from being removed or anonymised, for a reason: an open
// case, a complaint, a court's order. It names a device, a report or an area, or
// none of them: then everything in its time.
type Hold struct {
	ID     int64      `json:"id"`
	Device devices.ID `json:"device,omitempty"`
	Report string     `json:"report,omitempty"`
	Area   string     `json:"area,omitempty"`
	// From and To narrow it: fix times of devices, times of arrival of dead
	// letters, when reports were made; at or after From, before To.
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	Reason string     `json:"reason"`
	By     string     `json:"by"`
	At     time.Time  `json:"at"`
	// LiftedAt ended it; it is kept as a record.
	LiftedAt  *time.Time `json:"lifted_at,omitempty"`
	LiftedBy  string     `json:"lifted_by,omitempty"`
	LiftedWhy string     `json:"lifted_why,omitempty"`
}

// covers says whether a hold is of time t.
func (h *Hold) covers(t time.Time) bool {
	return (h.From == nil || !t.Before(*h.From)) && (h.To == nil || t.Before(*h.To))
}

// Span is a stretch of time, From ≤ t < To, ms since 1970 UTC.
type Span struct{ From, To int64 }

func (h *Hold) span() Span {
	s := Span{-1 << 62, 1 << 62}
	if h.From != nil {
		s.From = h.From.UnixMilli()
	}
	if h.To != nil {
		s.To = h.To.UnixMilli()
	}
	return s
}

// HeldOf are the stretches of a device's time that holds keep. It holds at once
// when a hold is made, also for a run that is under way.
func (s *Store) HeldOf(id devices.ID) (spans []Span) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var areas []string
	asked := false
	for i := range s.holds {
		h := &s.holds[i]
		switch {
		case h.Report != "":
			continue
		case h.Device != "":
			if !strings.EqualFold(string(h.Device), string(id)) {
				continue
			}
		case h.Area != "":
			if !asked {
				areas, asked = s.AreasOf(id), true
			}
			if !slices.ContainsFunc(areas, func(a string) bool { return s.Within(a, h.Area) }) {
				continue
			}
		}
		spans = append(spans, h.span())
	}
	return spans
}

// HoldsReport says whether a hold keeps a report that was made at a time in an
// area.
func (s *Store) HoldsReport(code, area string, made time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range s.holds {
		h := &s.holds[i]
		if h.covers(made) && (h.Report == code && code != "" || h.Area != "" && area != "" && s.Within(area, h.Area) || h.Device == "" && h.Report == "" && h.Area == "") {
			return true
		}
	}
	return false
}

// Hold makes a hold.
func (s *Store) Hold(ctx context.Context, h Hold, by string) (Hold, error) {
	var err error
	if h.Reason, err = devices.AuditedReason(h.Reason, "say why"); err != nil {
		return h, err
	}
	named := 0
	for _, n := range []string{string(h.Device), h.Report, h.Area} {
		if n != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return h, &devices.FieldError{Field: "device", Reason: "a hold names a device, a report or an area; make one for each"}
	case named == 0 && h.From == nil && h.To == nil:
		return h, &devices.FieldError{Field: "device", Reason: "say what is held: a device, a report, an area, or a time"}
	case h.From != nil && h.To != nil && !h.From.Before(*h.To):
		return h, &devices.FieldError{Field: "to", Reason: "it must be after from"}
	case len(h.Device) > 64 || len(h.Area) > 100 || len(h.Report) > 40:
		return h, &devices.FieldError{Field: "device", Reason: "this is too long for an id"}
	}
	if h.Report != "" {
		if s.Report == nil {
			return h, &devices.FieldError{Field: "report", Reason: "there are no reports here"}
		}
		code, err := s.Report(ctx, h.Report)
		if errors.Is(err, devices.ErrNotFound) {
			return h, &devices.FieldError{Field: "report", Reason: fmt.Sprintf("there is no report %.40q", h.Report)}
		}
		if err != nil {
			return h, err
		}
		h.Report = code
	}
	h.By, h.At, h.LiftedAt, h.LiftedBy, h.LiftedWhy = by, now(), nil, "", ""
	err = s.change(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO retention_hold(device,report,area,from_ms,to_ms,reason,by_whom,at) VALUES(?,?,?,?,?,?,?,?)`,
			string(h.Device), h.Report, h.Area, ms(h.From), ms(h.To), h.Reason, by, h.At.UnixMilli())
		if err != nil {
			return err
		}
		if h.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		after, _ := json.Marshal(h)
		return s.audit.Append(ctx, tx, audit.Entry{Action: "retention.hold", Kind: "retention_hold", ID: fmt.Sprint(h.ID), After: after, Why: h.Reason})
	})
	if err != nil {
		return h, fmt.Errorf("keep hold: %w", err)
	}
	// It stands by now, whoever asked for it may be gone.
	return h, s.loadHolds(context.WithoutCancel(ctx))
}

// Lift ends a hold, for a reason. One that was lifted is devices.ErrConflict.
func (s *Store) Lift(ctx context.Context, id int64, by, reason string) (Hold, error) {
	reason, err := devices.AuditedReason(reason, "say why")
	if err != nil {
		return Hold{}, err
	}
	var h Hold
	err = s.change(ctx, func(tx *sql.Tx) error {
		var err error
		h, err = scanHold(tx.QueryRowContext(ctx, selectHolds+` WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("hold %d: %w", id, devices.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if h.LiftedAt != nil {
			return fmt.Errorf("hold %d was lifted already: %w", id, devices.ErrConflict)
		}
		before, _ := json.Marshal(h)
		t := now()
		h.LiftedAt, h.LiftedBy, h.LiftedWhy = &t, by, reason
		if _, err := tx.ExecContext(ctx, `UPDATE retention_hold SET lifted_by=?, lifted_at=?, lifted_why=? WHERE id=?`, by, t.UnixMilli(), reason, id); err != nil {
			return err
		}
		after, _ := json.Marshal(h)
		return s.audit.Append(ctx, tx, audit.Entry{Action: "retention.lift", Kind: "retention_hold", ID: fmt.Sprint(id), Before: before, After: after, Why: reason})
	})
	if err != nil {
		return h, fmt.Errorf("lift hold: %w", err)
	}
	return h, s.loadHolds(context.WithoutCancel(ctx))
}

const selectHolds = `SELECT id,device,report,area,from_ms,to_ms,reason,by_whom,at,lifted_by,lifted_at,lifted_why FROM retention_hold`

func scanHold(row interface{ Scan(...any) error }) (h Hold, err error) {
	var from, to, lifted sql.NullInt64
	var at int64
	err = row.Scan(&h.ID, &h.Device, &h.Report, &h.Area, &from, &to, &h.Reason, &h.By, &at, &h.LiftedBy, &lifted, &h.LiftedWhy)
	h.At, h.From, h.To, h.LiftedAt = time.UnixMilli(at).UTC(), stamp(from), stamp(to), stamp(lifted)
	return h, err
}

func stamp(n sql.NullInt64) *time.Time {
	if !n.Valid {
		return nil
	}
	t := time.UnixMilli(n.Int64).UTC()
	return &t
}

func ms(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMilli()
}

// Holds lists holds, newest first: those that stand, or all; at most limit below
// before (0: from the newest).
func (s *Store) Holds(ctx context.Context, all bool, before int64, limit int) ([]Hold, error) {
	rows, err := s.db.QueryContext(ctx, selectHolds+` WHERE (? OR lifted_at IS NULL) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?`, all, before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	defer rows.Close()
	hs := []Hold{}
	for rows.Next() {
		h, err := scanHold(rows)
		if err != nil {
			return nil, fmt.Errorf("list holds: %w", err)
		}
		hs = append(hs, h)
	}
	return hs, rows.Err()
}

// loadHolds reads those that stand. One reading at a time: of two, the one that
// began first would else hide what the other found.
func (s *Store) loadHolds(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	hs, err := s.Holds(ctx, false, 0, 1<<30)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = hs
	return nil
}
