package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"haidang/devices/people"
)

// unmaskReport answers, once, what of a report is hidden, to who gives a reason.
func (s *Server) unmaskReport(w http.ResponseWriter, r *http.Request) {
	var b struct{ Reason string }
	err := s.body(w, r, 8<<10, &b)
	if err == nil {
		err = s.mayReport(r, people.PersonalUnmask)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.Reports.Unmask(r.Context(), chi.URLParam(r, "code"), b.Reason)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusOK, p)
}
