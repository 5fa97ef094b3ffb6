package web

import (
	"io"
	"net/http"

	"haidang/devices/areas"
)

// importAreas shows what a file would change; with the token of that preview it
// does it.
func (s *Server) importAreas(w http.ResponseWriter, r *http.Request) {
	file, err := io.ReadAll(http.MaxBytesReader(w, r.Body, areas.MaxFile))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	type answer struct {
		Applied bool `json:"applied"`
		*areas.Preview
	}
	if !r.URL.Query().Has("preview") {
		p := s.Areas.Preview(file)
		sayFaults(p.Errors, inLanguage(w, r))
		s.json(w, http.StatusOK, answer{false, p})
		return
	}
	p, err := s.Areas.Apply(r.Context(), file, r.URL.Query().Get("preview"))
	s.answer(w, r, http.StatusOK, answer{true, p}, err)
}
