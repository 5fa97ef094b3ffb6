package reports

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Action is one step taken by somebody.
type Action struct {
	By     string
	Text   string
	Agency string
}

// step says from where a step may be taken, where it leads, and what it needs.
type step struct {
	from        []State
	to          State
	needsText   string // why words are needed; empty: they are not
	needsAgency bool
}

var steps = map[string]step{
	"accept": {from: []State{Received}, to: Accepted},
	"refuse": {from: []State{Received, Accepted}, to: Refused, needsText: "say why it is refused: the citizen reads this"},
	"assign": {from: []State{Received, Accepted, Assigned}, to: Assigned, needsAgency: true},
	"answer": {from: []State{Accepted, Assigned}, to: Answered, needsText: "an answer needs words: the citizen reads them"},
	"reopen": {from: []State{Refused, Answered}, to: Accepted, needsText: "say why it is opened again"},
}

// Apply takes a step: accept, refuse, assign, answer or reopen. A step that does
// not fit the state is devices.ErrConflict.
func (s *Service) Apply(ctx context.Context, code, name string, a Action) (*Report, error) {
	st, ok := steps[name]
	if !ok {
		return nil, fmt.Errorf("step %.20q of a report: %w", name, devices.ErrNotFound)
	}
	for _, f := range []field{{"text", &a.Text, 4000}, {"by", &a.By, 100}} {
		if err := f.clean(); err != nil {
			return nil, err
		}
	}
	if st.needsText != "" && a.Text == "" {
		return nil, &devices.FieldError{Field: "text", Reason: st.needsText}
	}
	chosen, known := s.agencies.Agency(a.Agency)
	switch {
	case st.needsAgency && !known:
		return nil, &devices.FieldError{Field: "agency", Reason: fmt.Sprintf("%.40q is no agency; GET /api/v1/agencies lists them", a.Agency)}
	case st.needsAgency && chosen.Retired:
		return nil, &devices.FieldError{Field: "agency", Reason: fmt.Sprintf("%s is retired and is given nothing new", chosen.Name)}
	}
	code = readCode(s.prefix, code)
	err := s.change(ctx, code, func(tx *sql.Tx) error {
		r, err := s.one(ctx, tx, `code = ?`, code)
		if err != nil {
			return err
		}
		if !slices.Contains(st.from, r.State) {
			return fmt.Errorf("a report that is %s cannot take the step %s: %w", r.State, name, devices.ErrConflict)
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		text := a.Text
		agency := r.Agency
		if st.needsAgency {
			agency = a.Agency
			text = strings.TrimSpace(chosen.Name + "\n" + text)
		}
		timeline, err := json.Marshal(append(r.Timeline, Step{At: now, State: st.to, By: a.By, Text: text}))
		if err != nil {
			return err
		}
		var answered *int64
		if st.to == Answered {
			ms := now.UnixMilli()
			answered = &ms
		}
		_, err = tx.ExecContext(ctx, `UPDATE report SET state=?, agency=?, timeline=?, updated_at=?, answered_at=? WHERE code=?`,
			st.to, agency, string(timeline), now.UnixMilli(), answered, code)
		if err != nil {
			return err
		}
		// The audit log is for ever: what tells a person never stands in it.
		var reporter string
		if err := tx.QueryRowContext(ctx, `SELECT reporter FROM report WHERE code = ?`, code).Scan(&reporter); err != nil {
			return err
		}
		e := audit.Entry{Action: "report." + name, Kind: "report", ID: code, Why: hider(reporter)(a.Text)}
		if e.Before, err = json.Marshal(map[string]any{"state": r.State, "agency": r.Agency}); err != nil {
			return err
		}
		if e.After, err = json.Marshal(map[string]any{"state": st.to, "agency": agency}); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, e)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, code)
}
