package web

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"haidang/alerts"
	"haidang/devices"
	"haidang/devices/people"
)

func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := alerts.Filter{Severity: alerts.Severity(q.Get("severity")), Device: q.Get("device")}
	var err error
	switch st := q.Get("state"); st {
	case "", "open":
		f.State = alerts.Open
	case "closed":
		f.State = alerts.Closed
	case "all":
	default:
		err = &devices.FieldError{Field: "state", Reason: "state is open, closed or all"}
	}
	if err == nil {
		f.Limit, err = intParam(q.Get("limit"), "limit", 200, 1000)
	}
	if err == nil {
		f.Before, err = cursorParam(q.Get("cursor"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items, next, err := visible(f.Before, func(before int64) ([]*alerts.Alert, int64, error) {
		f.Before = before
		return s.Alerts.List(r.Context(), f)
	}, func(a *alerts.Alert) bool { return s.showAlert(r, a) != nil })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for i := range items {
		items[i] = s.showAlert(r, items[i])
	}
	s.json(w, http.StatusOK, list{some(items), cursor(next)})
}

func (s *Server) getAlert(w http.ResponseWriter, r *http.Request) {
	a, err := s.Alerts.Get(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		if a = s.showAlert(r, a); a == nil {
			err = s.refusal(r)
		}
	}
	s.answer(w, r, http.StatusOK, a, err)
}

// showAlert is an alert as who asks may see it: of a group outage the members
// that they may; nil: not at all.
func (s *Server) showAlert(r *http.Request, a *alerts.Alert) *alerts.Alert {
	rights := who(r).rights
	switch {
	case rights.Everywhere(people.AlertRead):
		return a
	case a.Kind == alerts.CohortKind:
		return a.Within(func(id string) bool { return s.allowsDevice(rights, people.AlertRead, id) })
	case rights.Allow(people.AlertRead, alertScope(a)):
		return a
	}
	return nil
}

// mayAlert says whether who asks may do act to an alert: to a group outage, when
// they may to each of its members.
func (s *Server) mayAlert(r *http.Request, act people.Action, a *alerts.Alert) error {
	rights := who(r).rights
	if a.Kind != alerts.CohortKind || rights.Everywhere(act) {
		return s.may(r, act, alertScope(a))
	}
	for _, id := range a.Members {
		if !s.allowsDevice(rights, act, id) {
			return s.refusal(r)
		}
	}
	return nil
}

// allowsDevice says whether rights let do act to a device; to one that is not
// known, never.
func (s *Server) allowsDevice(rights people.Rights, act people.Action, id string) bool {
	d, ok := s.Registry.Get(devices.ID(id))
	return ok && rights.Allow(act, deviceScope(d))
}

func (s *Server) ackAlert(w http.ResponseWriter, r *http.Request) {
	var b struct{ By, Note string }
	if err := s.body(w, r, 8<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	a, err := s.Alerts.Get(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		err = s.mayAlert(r, people.AlertAck, a)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	a, err = s.Alerts.Ack(r.Context(), chi.URLParam(r, "id"), s.actor(r, b.By), b.Note)
	s.answer(w, r, http.StatusOK, a, err)
}

// actor is who does something: the session's name. Only in the open demo, where
// there are no sessions, may the body say another.
func (s *Server) actor(r *http.Request, by string) string {
	if s.Open && by != "" && len(by) <= 100 {
		return by
	}
	return who(r).name
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, v any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, status, v)
}

// some makes a list that is [] in JSON when it is empty, never null.
func some[T any](xs []T) []T {
	if xs == nil {
		return []T{}
	}
	return xs
}

func cursor(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func cursorParam(v string) (int64, error) {
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 {
		return 0, &devices.FieldError{Field: "cursor", Reason: "this cursor was not given out by this list"}
	}
	return n, nil
}
