package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/alerts"
	"haidang/alerts/dispatch"
	"haidang/devices"
	"haidang/devices/people"
	"haidang/devices/personal"
	"haidang/ingest/reports"
)

func (s *Server) listShifts(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := intParam(q.Get("limit"), "limit", 20, 200)
	var before int64
	if err == nil {
		before, err = cursorParam(q.Get("cursor"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	shifts, err := s.People.Shifts(r.Context(), before, limit+1)
	next := int64(0)
	if len(shifts) > limit {
		shifts = shifts[:limit]
		next = shifts[limit-1].ID
	}
	if !who(r).rights.Has(people.ShiftKeep) {
		for i := range shifts {
			shifts[i] = hideNotes(shifts[i])
		}
	}
	s.answer(w, r, http.StatusOK, list{some(shifts), cursor(next)}, err)
}

// hideNotes is a shift as who keeps none reads it: what one tells the next may
// have numbers to call.
func hideNotes(sh people.Shift) people.Shift {
	notes := make([]people.Note, len(sh.Notes))
	for i, n := range sh.Notes {
		n.Text = personal.Text(n.Text)
		notes[i] = n
	}
	sh.Notes = notes
	return sh
}

func (s *Server) beginShift(w http.ResponseWriter, r *http.Request) {
	var b struct{ Members []string }
	if err := s.body(w, r, 16<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	sh, err := s.People.BeginShift(r.Context(), who(r).name, b.Members)
	s.answer(w, r, http.StatusCreated, sh, err)
}

func (s *Server) noteShift(w http.ResponseWriter, r *http.Request) {
	var b struct{ Text string }
	if err := s.body(w, r, 16<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	sh, err := s.People.NoteShift(r.Context(), who(r).name, b.Text)
	s.answer(w, r, http.StatusOK, sh, err)
}

// handOver hands over what is open at this moment.
func (s *Server) handOver(w http.ResponseWriter, r *http.Request) {
	var b struct{ Text string }
	err := s.body(w, r, 16<<10, &b)
	var open []people.Matter
	if err == nil {
		open, err = s.openMatters(r.Context())
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sh, err := s.People.HandOver(r.Context(), who(r).name, b.Text, open)
	s.answer(w, r, http.StatusOK, sh, err)
}

func (s *Server) acceptShift(w http.ResponseWriter, r *http.Request) {
	var b struct{ Members []string }
	err := s.body(w, r, 16<<10, &b)
	var id int64
	if err == nil {
		if id, err = strconv.ParseInt(chi.URLParam(r, "id"), 10, 64); err != nil {
			err = devices.ErrNotFound
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sh, err := s.People.Accept(r.Context(), who(r).name, id, b.Members)
	s.answer(w, r, http.StatusOK, sh, err)
}

// mostMatters bounds each kind in a handover: more cannot be read at the change
// of a shift, and the lists have them all.
const mostMatters = 200

// openMatters are what somebody has to go on with: open alerts, reports without
// an answer and work orders under way.
func (s *Server) openMatters(ctx context.Context) ([]people.Matter, error) {
	ms := []people.Matter{}
	as, _, err := s.Alerts.List(ctx, alerts.Filter{State: alerts.Open, Limit: mostMatters})
	if err != nil {
		return nil, err
	}
	for _, a := range as {
		ms = append(ms, people.Matter{Kind: "alert", ID: a.ID, Title: a.RuleName.VI + " – " + a.DeviceName})
	}
	rs, _, err := s.Reports.List(ctx, reports.Filter{Open: true, Since: time.Now(), Limit: mostMatters})
	if err != nil {
		return nil, err
	}
	for _, rep := range rs {
		ms = append(ms, people.Matter{Kind: "report", ID: rep.Code, Title: cut(rep.CategoryName.VI+" – "+rep.Description, 200)})
	}
	ws, _, err := s.Dispatch.List(ctx, dispatch.Filter{Active: true, Since: time.Now(), Limit: mostMatters})
	if err != nil {
		return nil, err
	}
	for _, o := range ws {
		ms = append(ms, people.Matter{Kind: "workorder", ID: o.ID, Title: o.CrewName + " – " + cut(personal.Text(o.Title), 200)})
	}
	return ms, nil
}
