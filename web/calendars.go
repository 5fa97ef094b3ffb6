package web

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/agencies"
	"haidang/devices/calendars"
)

// workView is a calendar or an agency's, as it is just now.
type workView struct {
	// Working says whether people work now, Until until when that stays so; nil:
	// for two months and more.
	Working bool       `json:"working"`
	Until   *time.Time `json:"until,omitempty"`
}

func viewWork(c *calendars.Calendar, now time.Time) *workView {
	return &workView{c.Works(now), orNil(c.Until(now).UTC())}
}

// calendarView is a calendar, and how it is just now.
type calendarView struct {
	*calendars.Calendar
	Now *workView `json:"now"`
}

// agencyView is an agency, and whether it is at work, when it follows a calendar.
type agencyView struct {
	*agencies.Agency
	Now *workView `json:"now,omitempty"`
}

func (s *Server) viewAgency(a *agencies.Agency) *agencyView {
	v := &agencyView{Agency: a}
	if c, err := s.Calendars.Get(a.Calendar); err == nil && !a.Retired {
		v.Now = viewWork(c, time.Now())
	}
	return v
}

func (s *Server) listCalendars(w http.ResponseWriter, _ *http.Request) {
	items, now := []calendarView{}, time.Now()
	for _, c := range s.Calendars.List() {
		items = append(items, calendarView{c, viewWork(c, now)})
	}
	s.json(w, http.StatusOK, list{Items: items})
}

// putCalendar adds a calendar, or writes all of one anew.
func (s *Server) putCalendar(w http.ResponseWriter, r *http.Request) {
	var c calendars.Calendar
	err := s.body(w, r, 256<<10, &c)
	id := chi.URLParam(r, "id")
	if err == nil && c.ID != "" && c.ID != id {
		err = &devices.FieldError{Field: "id", Reason: "it is another than that of the address"}
	}
	var kept *calendars.Calendar
	if err == nil {
		c.ID = id
		kept, err = s.Calendars.Put(r.Context(), c)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, calendarView{kept, viewWork(kept, time.Now())})
}

func (s *Server) deleteCalendar(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.Calendars.Delete(r.Context(), chi.URLParam(r, "id"), s.Agencies.Follows))
}
