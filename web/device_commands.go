package web

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/ingest"
)

// What devices do over HTTP that hear no MQTT: they ask for their commands and
// configuration, and answer. Each with its own secret only: for it to ask says
// that it has them.

// ownDevice finds the device of the path that asks with its own secret, or
// answers.
func (s *Server) ownDevice(w http.ResponseWriter, r *http.Request) (id devices.ID, ok bool) {
	id, err := devices.ParseID(chi.URLParam(r, "id"))
	if err != nil {
		s.fail(w, r, err)
		return "", false
	}
	_, secret, _ := r.BasicAuth()
	return s.signsIn(w, r, id, secret)
}

func (s *Server) getPending(w http.ResponseWriter, r *http.Request) {
	id, ok := s.ownDevice(w, r)
	if !ok {
		return
	}
	if d, _ := s.Registry.Get(id); !d.Life.Speaks() {
		s.refuse(w, r)
		return
	}
	p, err := s.Commands.Pending(r.Context(), id)
	w.Header().Set("Cache-Control", "no-store")
	s.answer(w, r, http.StatusOK, p, err)
}

// postAnswer takes what a device says to a command, or of its configuration, the
// way that MQTT takes it.
func (s *Server) postAnswer(w http.ResponseWriter, r *http.Request) {
	id, ok := s.ownDevice(w, r)
	if !ok {
		return
	}
	body, err := payload(w, r, ingest.MaxPayload)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	_, leaf, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/devices/"), "/")
	o, err := s.Pipeline.Ingest(r.Context(), string(id), id, leaf, body)
	if err != nil {
		s.Log.Warn("an answer over HTTP was not taken", "component", "web", "device_id", id, "error", err)
		s.fail(w, r, errUnavailable)
		return
	}
	s.answerOutcome(w, r, o)
}
