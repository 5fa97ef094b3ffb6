package people

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"haidang/devices"
	"haidang/devices/audit"
)

// Shift is who is on duty in the centre, what they note, and what they hand
// over. At most one is on duty and one waits to be accepted; who accepts begins
// the next with the matters that were open.
type Shift struct {
	ID int64 `json:"id"`
	// Lead is who began it, by the name they act under.
	Lead string `json:"lead"`
	// Members are the others on duty, as people call them.
	Members []string `json:"members"`
	// State is "on_duty", "handed_over" (it waits to be accepted) or "closed".
	State     string    `json:"state"`
	StartedAt time.Time `json:"started_at"`
	Notes     []Note    `json:"notes"`
	// Carried are the matters that it took over.
	Carried []Matter `json:"carried"`
	// HandedOverAt is when the lead handed it over, Open the matters that were
	// open then.
	HandedOverAt *time.Time `json:"handed_over_at,omitempty"`
	Open         []Matter   `json:"open"`
	AcceptedAt   *time.Time `json:"accepted_at,omitempty"`
	AcceptedBy   string     `json:"accepted_by,omitempty"`
}

// Note is something the next shift should know.
type Note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// Matter is something open: an alert, a report or a work order, and what it is
// about in a few words.
type Matter struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Title string `json:"title"`
}

// The states of a shift.
const (
	OnDuty     = "on_duty"
	HandedOver = "handed_over"
	ShiftOver  = "closed"
)

// Shifts returns shifts, newest first, at most limit of those with a smaller id
// than before (0: of all).
func (s *Store) Shifts(ctx context.Context, before int64, limit int) ([]Shift, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, state, body FROM shift WHERE (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?`, before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list shifts: %w", err)
	}
	defer rows.Close()
	var out []Shift
	for rows.Next() {
		sh, err := scanShift(rows)
		if err != nil {
			return nil, fmt.Errorf("list shifts: %w", err)
		}
		out = append(out, sh)
	}
	return out, rows.Err()
}

// BeginShift begins one when nobody is on duty and nothing waits to be accepted;
// else devices.ErrConflict.
func (s *Store) BeginShift(ctx context.Context, lead string, members []string) (sh Shift, err error) {
	err = s.shiftChange(ctx, "begin", func(tx *sql.Tx) error {
		ms, err := cleanMembers(members)
		if err != nil {
			return err
		}
		for _, state := range []string{OnDuty, HandedOver} {
			if old, err := shiftIn(ctx, tx, state); err == nil {
				return fmt.Errorf("the shift of %s is not over yet (%s): %w", old.Lead, state, devices.ErrConflict)
			} else if !errors.Is(err, devices.ErrNotFound) {
				return err
			}
		}
		sh = Shift{Lead: lead, Members: ms, State: OnDuty, StartedAt: now(), Notes: []Note{}, Carried: []Matter{}, Open: []Matter{}}
		return s.putShift(ctx, tx, &sh, "shift.begin", "")
	})
	return sh, err
}

// NoteShift adds a note to the shift on duty.
func (s *Store) NoteShift(ctx context.Context, by, text string) (sh Shift, err error) {
	if text, err = cleanNote(text); err != nil {
		return sh, err
	}
	if text == "" {
		return sh, &devices.FieldError{Field: "text", Reason: "a note needs words"}
	}
	err = s.shiftChange(ctx, "note", func(tx *sql.Tx) (err error) {
		if sh, err = shiftIn(ctx, tx, OnDuty); err != nil {
			return err
		}
		if len(sh.Notes) >= 500 {
			return fmt.Errorf("this shift has 500 notes: %w", devices.ErrConflict)
		}
		sh.Notes = append(sh.Notes, Note{now(), by, text})
		return s.putShift(ctx, tx, &sh, "shift.note", text)
	})
	return sh, err
}

// HandOver ends the duty of the shift and leaves it, with the matters that are
// open, to whoever accepts it. Text is a last note; it may be empty.
func (s *Store) HandOver(ctx context.Context, by, text string, open []Matter) (sh Shift, err error) {
	if text, err = cleanNote(text); err != nil {
		return sh, err
	}
	err = s.shiftChange(ctx, "hand over", func(tx *sql.Tx) (err error) {
		if sh, err = shiftIn(ctx, tx, OnDuty); err != nil {
			return err
		}
		t := now()
		if text != "" {
			sh.Notes = append(sh.Notes, Note{t, by, text})
		}
		sh.State, sh.HandedOverAt = HandedOver, &t
		if sh.Open = open; open == nil {
			sh.Open = []Matter{}
		}
		return s.putShift(ctx, tx, &sh, "shift.hand_over", text)
	})
	return sh, err
}

// Accept takes over what was handed over and begins the next shift, led by who
// accepts. Only somebody else than who led can: two people stand for what was
// handed over. The id is of the shift they saw.
func (s *Store) Accept(ctx context.Context, by string, id int64, members []string) (next Shift, err error) {
	err = s.shiftChange(ctx, "accept", func(tx *sql.Tx) error {
		ms, err := cleanMembers(members)
		if err != nil {
			return err
		}
		old, err := shiftIn(ctx, tx, HandedOver)
		if err != nil {
			return err
		}
		switch {
		case old.ID != id:
			return fmt.Errorf("another shift waits by now; read it first: %w", devices.ErrConflict)
		case old.Lead == by:
			return fmt.Errorf("who hands over cannot accept too: %w", devices.ErrConflict)
		}
		t := now()
		old.State, old.AcceptedAt, old.AcceptedBy = ShiftOver, &t, by
		if err := s.putShift(ctx, tx, &old, "shift.accept", ""); err != nil {
			return err
		}
		next = Shift{Lead: by, Members: ms, State: OnDuty, StartedAt: t, Notes: []Note{}, Carried: old.Open, Open: []Matter{}}
		return s.putShift(ctx, tx, &next, "shift.begin", "")
	})
	return next, err
}

func (s *Store) shiftChange(ctx context.Context, act string, fn func(*sql.Tx) error) error {
	if err := s.change(ctx, fn); err != nil {
		return fmt.Errorf("%s shift: %w", act, err)
	}
	return nil
}

func cleanNote(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > 4000 || !utf8.ValidString(text) {
		return "", &devices.FieldError{Field: "text", Reason: "a note is text of at most 4,000 bytes"}
	}
	return text, nil
}

func cleanMembers(members []string) ([]string, error) {
	out := []string{}
	for _, m := range members {
		if m = strings.TrimSpace(m); m != "" {
			out = append(out, m)
		}
		if len(m) > 100 || len(out) > 50 {
			return nil, &devices.FieldError{Field: "members", Reason: "at most 50 names of at most 100 bytes"}
		}
	}
	return out, nil
}

// putShift writes a shift as it now is, and the act in the audit log.
func (s *Store) putShift(ctx context.Context, tx *sql.Tx, sh *Shift, action, why string) error {
	var before json.RawMessage
	if sh.ID != 0 {
		old, err := scanShift(tx.QueryRowContext(ctx, `SELECT id, state, body FROM shift WHERE id = ?`, sh.ID))
		if err != nil {
			return err
		}
		before = old.record()
	} else {
		res, err := tx.ExecContext(ctx, `INSERT INTO shift(state, body) VALUES(?, '')`, sh.State)
		if err != nil {
			return err
		}
		if sh.ID, err = res.LastInsertId(); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE shift SET state = ?, body = ? WHERE id = ?`, sh.State, string(asJSON(sh)), sh.ID); err != nil {
		return err
	}
	return s.audit.Append(ctx, tx, audit.Entry{Action: action, Kind: "shift", ID: fmt.Sprint(sh.ID), Why: why, Before: before, After: sh.record()})
}

// record is what the audit log keeps of a shift.
func (sh *Shift) record() json.RawMessage {
	return asJSON(map[string]any{"state": sh.State, "lead": sh.Lead, "members": sh.Members, "open": len(sh.Open), "carried": len(sh.Carried), "notes": len(sh.Notes), "accepted_by": sh.AcceptedBy})
}

// shiftIn finds the shift that is in a state, or devices.ErrNotFound.
func shiftIn(ctx context.Context, tx *sql.Tx, state string) (Shift, error) {
	sh, err := scanShift(tx.QueryRowContext(ctx, `SELECT id, state, body FROM shift WHERE state = ?`, state))
	if errors.Is(err, sql.ErrNoRows) {
		return sh, fmt.Errorf("a shift that is %s: %w", state, devices.ErrNotFound)
	}
	return sh, err
}

func scanShift(row interface{ Scan(...any) error }) (sh Shift, err error) {
	var id int64
	var state, body string
	if err := row.Scan(&id, &state, &body); err != nil {
		return sh, err
	}
	err = json.Unmarshal([]byte(body), &sh)
	sh.ID, sh.State = id, state
	return sh, err
}
