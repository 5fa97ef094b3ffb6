package web

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest"
)

// device is the one that the path names, if a may be done to it.
func (s *Server) device(r *http.Request, a people.Action) (*devices.Device, error) {
	id := chi.URLParam(r, "id")
	d, ok := s.Registry.Get(devices.ID(id))
	if !ok {
		return nil, fmt.Errorf("device %.80q: %w", id, devices.ErrNotFound)
	}
	return d, s.may(r, a, deviceScope(d))
}

func (s *Server) postSecret(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err == nil {
		var secret string
		if secret, err = s.Credentials.IssueSecret(r.Context(), d.ID); err == nil {
			s.json(w, http.StatusOK, map[string]string{"secret": secret})
			return
		}
	}
	s.fail(w, r, err)
}

// postReadings takes a device's payload. The device itself may send, as
// Basic id:secret, or an operator for it.
func (s *Server) postReadings(w http.ResponseWriter, r *http.Request) {
	id, err := devices.ParseID(chi.URLParam(r, "id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	in := people.Scope{}
	if d, known := s.Registry.Get(id); known {
		in = deviceScope(d)
	}
	own := !who(r).rights.Allow(people.ReadingSend, in)
	if own {
		_, secret, _ := r.BasicAuth()
		if _, ok := s.signsIn(w, r, id, secret); !ok {
			return
		}
	}
	body, err := payload(w, r, ingest.MaxPayload)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	leaf := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	sender := string(id)
	if !own {
		sender = sentBy(r)
	}
	o, err := s.Pipeline.Ingest(r.Context(), sender, id, leaf, body)
	if err != nil {
		s.Log.Warn("readings over HTTP were not taken", "component", "web", "device_id", id, "error", err)
		s.fail(w, r, errUnavailable)
		return
	}
	s.answerOutcome(w, r, o)
}

// sentBy is who sends, for dead letters: the session's name and address.
func sentBy(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return who(r).name + " " + host
}

func (s *Server) answerOutcome(w http.ResponseWriter, r *http.Request, o ingest.Outcome) {
	type refused struct {
		ID      int64  `json:"id"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	letters := []refused{}
	p := problem{Status: http.StatusUnprocessableEntity}
	for _, d := range o.DeadLetters {
		letters = append(letters, refused{d.ID, d.Code, d.Message})
		p.Errors = append(p.Errors, fieldError{d.Code, d.Message})
	}
	if o.Stored+o.Duplicates == 0 && len(letters) > 0 {
		p.Detail = letters[0].Message
		s.problem(w, r, p)
		return
	}
	s.json(w, http.StatusAccepted, map[string]any{"stored": o.Stored, "duplicates": o.Duplicates, "dead_letters": letters})
}

// intParam reads a whole number from 1 to most; empty gives def.
func intParam(v, name string, def, most int) (int, error) {
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return 0, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.20q is not a whole number from 1 to %d", v, most)}
	}
	return n, nil
}

// timeParam reads an RFC 3339 time; empty gives def.
func timeParam(v, name string, def time.Time) (time.Time, error) {
	if v == "" {
		return def, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return t, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.40q is not a time such as 2026-11-22T08:00:00+07:00 (in a URL, write + as %%2B)", v)}
	}
	return t, nil
}
