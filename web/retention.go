package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/retention"
)

func (s *Server) listClasses(w http.ResponseWriter, _ *http.Request) {
	s.json(w, http.StatusOK, list{Items: s.Retention.Classes()})
}

func (s *Server) getClass(w http.ResponseWriter, r *http.Request) {
	c, err := s.Retention.Class(chi.URLParam(r, "id"))
	if err == nil {
		w.Header().Set("ETag", etag(c.Version))
	}
	s.answer(w, r, http.StatusOK, c, err)
}

// putClass changes how long a class is kept, as it was read.
func (s *Server) putClass(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Keep   string                    `json:"keep"`
		ByType map[devices.TypeID]string `json:"by_type"`
		Reason string                    `json:"reason"`
	}
	version, err := ifMatch(r)
	if err == nil {
		err = s.body(w, r, 64<<10, &b)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	keep, err := retention.ParsePeriod(b.Keep)
	byType := map[devices.TypeID]retention.Period{}
	for t, text := range b.ByType {
		p, wrong := retention.ParsePeriod(text)
		if fe, ok := errors.AsType[*devices.FieldError](wrong); ok && err == nil {
			err = &devices.FieldError{Field: "by_type." + string(t), Reason: fe.Reason}
		}
		byType[t] = p
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Retention.Change(r.Context(), chi.URLParam(r, "id"), keep, byType, version, b.Reason)
	if err == nil {
		w.Header().Set("ETag", etag(c.Version))
	}
	s.answer(w, r, http.StatusOK, c, err)
}

// getRetentionPlan says what the nightly run would remove now.
func (s *Server) getRetentionPlan(w http.ResponseWriter, r *http.Request) {
	plan, err := s.Nightly.Plan(r.Context())
	s.answer(w, r, http.StatusOK, plan, err)
}

func (s *Server) listRetentionRuns(w http.ResponseWriter, r *http.Request) {
	limit, before, err := page(r, 20, 200)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	runs, err := s.Retention.Runs(r.Context(), before, limit+1)
	next := int64(0)
	if len(runs) > limit {
		runs = runs[:limit]
		next = runs[limit-1].ID
	}
	s.answer(w, r, http.StatusOK, list{some(runs), cursor(next)}, err)
}

func (s *Server) listHolds(w http.ResponseWriter, r *http.Request) {
	limit, before, err := page(r, 100, 1000)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	holds, err := s.Retention.Holds(r.Context(), r.URL.Query().Get("all") == "true", before, limit+1)
	next := int64(0)
	if len(holds) > limit {
		holds = holds[:limit]
		next = holds[limit-1].ID
	}
	s.answer(w, r, http.StatusOK, list{some(holds), cursor(next)}, err)
}

// page are the limit and the cursor of a list.
func page(r *http.Request, usual, most int) (limit int, before int64, err error) {
	q := r.URL.Query()
	if limit, err = intParam(q.Get("limit"), "limit", usual, most); err == nil {
		before, err = cursorParam(q.Get("cursor"))
	}
	return limit, before, err
}

func (s *Server) postHold(w http.ResponseWriter, r *http.Request) {
	var h retention.Hold
	if err := s.body(w, r, 16<<10, &h); err != nil {
		s.fail(w, r, err)
		return
	}
	if h.Device != "" {
		d, ok := s.Registry.Get(h.Device)
		if !ok {
			s.fail(w, r, &devices.FieldError{Field: "device", Reason: fmt.Sprintf("%.64q is no device", h.Device)})
			return
		}
		h.Device = d.ID
	}
	if h.Area != "" {
		a, ok := s.Areas.Area(h.Area)
		if !ok {
			s.fail(w, r, &devices.FieldError{Field: "area", Reason: fmt.Sprintf("%.60q is no area", h.Area)})
			return
		}
		h.Area = a.Code
	}
	h, err := s.Retention.Hold(r.Context(), h, who(r).name)
	s.answer(w, r, http.StatusCreated, h, err)
}

func (s *Server) liftHold(w http.ResponseWriter, r *http.Request) {
	var b struct{ Reason string }
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		err = fmt.Errorf("hold %.20q: %w", chi.URLParam(r, "id"), devices.ErrNotFound)
	}
	if err = errors.Join(err, s.body(w, r, 8<<10, &b)); err != nil {
		s.fail(w, r, err)
		return
	}
	h, err := s.Retention.Lift(r.Context(), id, who(r).name, b.Reason)
	s.answer(w, r, http.StatusOK, h, err)
}
