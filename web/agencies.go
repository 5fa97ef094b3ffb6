package web

import (
	"fmt"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/agencies"
)

func (s *Server) listAgencies(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch q.Get("export") {
	case "":
		items := []*agencyView{}
		for _, a := range s.Agencies.List(q.Get("q"), q.Get("retired") == "true") {
			items = append(items, s.viewAgency(a))
		}
		s.json(w, http.StatusOK, list{Items: items})
	case "csv":
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="agencies.csv"`)
		if err := s.Agencies.Export(w); err != nil {
			s.Log.Warn("export of agencies was cut off", "component", "web", "error", err)
		}
	default:
		s.fail(w, r, &devices.FieldError{Field: "export", Reason: "export is csv, or left out"})
	}
}

func (s *Server) getAgency(w http.ResponseWriter, r *http.Request) {
	a, err := s.Agencies.Get(chi.URLParam(r, "id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, s.viewAgency(a))
}

func (s *Server) postAgency(w http.ResponseWriter, r *http.Request) {
	var a agencies.Agency
	err := s.body(w, r, 64<<10, &a)
	var created *agencies.Agency
	if err == nil {
		created, err = s.Agencies.Create(r.Context(), a)
	}
	if err == nil {
		w.Header().Set("Location", "/api/v1/agencies/"+created.ID)
	}
	s.answer(w, r, http.StatusCreated, created, err)
}

// putAgency writes all of an agency anew.
func (s *Server) putAgency(w http.ResponseWriter, r *http.Request) {
	var a agencies.Agency
	err := s.body(w, r, 64<<10, &a)
	if id := chi.URLParam(r, "id"); err == nil && a.ID != "" && a.ID != id {
		err = &devices.FieldError{Field: "id", Reason: fmt.Sprintf("the id of an agency stays; this one is %.60s", id)}
	}
	var changed *agencies.Agency
	if err == nil {
		a.ID = chi.URLParam(r, "id")
		changed, err = s.Agencies.Update(r.Context(), a)
	}
	s.answer(w, r, http.StatusOK, changed, err)
}

func (s *Server) deleteAgency(w http.ResponseWriter, r *http.Request) {
	if err := s.Agencies.Delete(r.Context(), chi.URLParam(r, "id")); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// importAgencies shows what a CSV file would change; with the token of that
// preview it does it.
func (s *Server) importAgencies(w http.ResponseWriter, r *http.Request) {
	file, err := io.ReadAll(http.MaxBytesReader(w, r.Body, agencies.MaxFile))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	type answer struct {
		Applied bool `json:"applied"`
		*agencies.Preview
	}
	if !r.URL.Query().Has("preview") {
		p := s.Agencies.Preview(file)
		sayFaults(p.Errors, inLanguage(w, r))
		s.json(w, http.StatusOK, answer{false, p})
		return
	}
	p, err := s.Agencies.Apply(r.Context(), file, r.URL.Query().Get("preview"))
	s.answer(w, r, http.StatusOK, answer{true, p}, err)
}
