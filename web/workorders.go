package web

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/alerts/dispatch"
	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/people"
)

func (s *Server) listCrews(w http.ResponseWriter, r *http.Request) {
	cs, err := s.Dispatch.Crews(r.Context())
	cs = slices.DeleteFunc(cs, func(c dispatch.Crew) bool { return !s.seesCrew(r, &c) })
	s.answer(w, r, http.StatusOK, list{Items: some(cs)}, err)
}

// seesCrew says whether who asks may see a crew: their own, and those that are
// within their limits now.
func (s *Server) seesCrew(r *http.Request, c *dispatch.Crew) bool {
	id := who(r)
	if id.rights.Everywhere(people.WorkOrderRead) || id.crew != "" && id.crew == c.ID {
		return true
	}
	return s.crewWithin(r, people.WorkOrderRead, c)
}

func (s *Server) postCrewPosition(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Lat, Lon *float64
		At       time.Time
	}
	err := s.mayPlace(r, chi.URLParam(r, "id"))
	if err == nil {
		err = s.body(w, r, 4096, &b)
	}
	if err == nil && (b.Lat == nil || b.Lon == nil) {
		err = &devices.FieldError{Field: "lat", Reason: "lat and lon are needed"}
	}
	if err == nil {
		err = s.Dispatch.SetPosition(r.Context(), chi.URLParam(r, "id"), devices.Position{Lat: *b.Lat, Lon: *b.Lon}, b.At)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// mayPlace says whether who asks may say where a crew is: a crew of itself; a
// phone that crews share, and who sends them, of those that are within their
// limits now.
func (s *Server) mayPlace(r *http.Request, crew string) error {
	id := who(r)
	if !id.acts(crew) {
		return s.refusal(r)
	}
	if id.crew == crew || id.rights.Everywhere(people.WorkOrderAct) || id.rights.Everywhere(people.WorkOrderSend) {
		return nil
	}
	cs, err := s.Dispatch.Crews(r.Context())
	if err != nil {
		return err
	}
	for _, c := range cs {
		if c.ID == crew && s.crewWithin(r, people.WorkOrderAct, &c) {
			return nil
		}
	}
	return s.refusal(r)
}

// crewWithin says whether who asks may do a where a crew is now.
func (s *Server) crewWithin(r *http.Request, a people.Action, c *dispatch.Crew) bool {
	ref, _ := s.Areas.Locate(&devices.Position{Lat: c.Lat, Lon: c.Lon}, "", time.Now())
	return who(r).rights.Allow(a, people.Scope{Area: ref.Code})
}

func (s *Server) listWorkOrders(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := intParam(q.Get("limit"), "limit", 200, 1000)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	before, err := cursorParam(q.Get("cursor"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	f := dispatch.Filter{State: dispatch.State(q.Get("state")), Crew: q.Get("crew"), Limit: limit}
	ws, next, err := visible(before, func(before int64) ([]*dispatch.WorkOrder, int64, error) {
		f.Before = before
		return s.Dispatch.List(r.Context(), f)
	}, func(o *dispatch.WorkOrder) bool { return s.mayOrder(r, people.WorkOrderRead, o) })
	for i := range ws {
		ws[i] = s.showOrder(r, ws[i])
	}
	s.answer(w, r, http.StatusOK, list{some(ws), cursor(next)}, err)
}

func (s *Server) getWorkOrder(w http.ResponseWriter, r *http.Request) {
	wo, err := s.Dispatch.Get(r.Context(), chi.URLParam(r, "id"))
	if err == nil && !s.mayOrder(r, people.WorkOrderRead, wo) {
		err = s.refusal(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, s.showOrder(r, wo))
}

// postWorkOrder takes what is missing, title and place, from the alert or the
// report that it is about.
func (s *Server) postWorkOrder(w http.ResponseWriter, r *http.Request) {
	var n dispatch.NewWorkOrder
	if err := s.body(w, r, 64<<10, &n); err != nil {
		s.fail(w, r, err)
		return
	}
	n.By = s.actor(r, "")
	fill := func(title string, lat, lon *float64) {
		if n.Title == "" {
			n.Title = title
		}
		if n.Lat == nil || n.Lon == nil {
			n.Lat, n.Lon = lat, lon
		}
	}
	in := people.Scope{} // about nothing: in no area
	if n.Alert != "" {
		a, err := s.Alerts.Get(r.Context(), n.Alert)
		if err == nil { // wherever the order itself is to be
			err = s.may(r, people.WorkOrderSend, alertScope(a))
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		in = alertScope(a)
		fill(a.RuleName.VI+" – "+a.DeviceName, a.Lat, a.Lon)
		n.Area = areas.ParseRef(a.AreaVersion)
	}
	if n.Report != "" {
		rep, err := s.Reports.Get(r.Context(), n.Report)
		if err == nil {
			err = s.may(r, people.WorkOrderSend, reportScope(rep))
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if n.Alert == "" {
			in = reportScope(rep)
		}
		title := []rune(rep.Description)
		lat, lon, err := s.Reports.Place(r.Context(), n.Report) // a crew has to find it
		if err != nil {
			s.fail(w, r, err)
			return
		}
		fill(string(title[:min(len(title), 80)]), lat, lon)
		if n.Area.Code == "" {
			n.Area = areas.ParseRef(rep.AreaVersion)
		}
	}
	if n.Area.Code == "" && n.Lat != nil && n.Lon != nil {
		n.Area, _ = s.Areas.Locate(&devices.Position{Lat: *n.Lat, Lon: *n.Lon}, "", time.Now())
	}
	if n.Area.Code != "" {
		in.Area = n.Area.Code
	}
	if err := s.may(r, people.WorkOrderSend, in); err != nil {
		s.fail(w, r, err)
		return
	}
	wo, err := s.Dispatch.Create(r.Context(), n)
	s.answer(w, r, http.StatusCreated, wo, err)
}

// mayStep keeps a crew to its own orders; to cancel one is the centre's.
func (s *Server) mayStep(r *http.Request) error {
	wo, err := s.Dispatch.Get(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	a := people.WorkOrderAct
	if chi.URLParam(r, "step") == "cancel" {
		a = people.WorkOrderSend
	}
	if !who(r).acts(wo.Crew) || !s.mayOrder(r, a, wo) {
		return s.refusal(r)
	}
	return nil
}

func (s *Server) stepWorkOrder(w http.ResponseWriter, r *http.Request) {
	if err := s.mayStep(r); err != nil {
		s.fail(w, r, err)
		return
	}
	a, err := s.readStep(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	wo, err := s.Dispatch.Apply(r.Context(), chi.URLParam(r, "id"), chi.URLParam(r, "step"), a)
	s.answer(w, r, http.StatusOK, wo, err)
}

// readStep reads JSON or, with photos, a form.
func (s *Server) readStep(w http.ResponseWriter, r *http.Request) (a dispatch.Action, err error) {
	if !isMultipart(r) {
		var b struct {
			Text, By      string
			At            time.Time
			Lat, Lon      *float64
			ClientEventID string `json:"client_event_id"`
		}
		err = s.body(w, r, 64<<10, &b)
		return dispatch.Action{By: s.actor(r, b.By), Text: b.Text, At: b.At, Lat: b.Lat, Lon: b.Lon, ClientEventID: b.ClientEventID}, err
	}
	fields, photos, err := readForm(w, r)
	if err != nil {
		return a, err
	}
	a = dispatch.Action{By: s.actor(r, fields["by"]), Text: fields["text"], ClientEventID: fields["client_event_id"]}
	if a.Lat, err = floatField(fields, "lat"); err != nil {
		return a, err
	}
	if a.Lon, err = floatField(fields, "lon"); err != nil {
		return a, err
	}
	if a.At, err = timeParam(fields["at"], "at", time.Time{}); err != nil {
		return a, err
	}
	for _, p := range photos {
		sha, err := s.Media.Put(bytes.NewReader(p))
		if err != nil {
			return a, err
		}
		a.Photos = append(a.Photos, sha)
	}
	return a, nil
}
