package web

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/ingest"
)

// The formats that have a path of their own; each is there only when the
// program was given a format of that name.
const (
	lineProtocol = "lineprotocol"
	osmAnd       = "osmand"
	indicators   = "indicator"
)

// payload reads a body of at most limit bytes, unpacked when it is gzip: the
// bound holds for what comes out, so that a small bomb stays small.
func payload(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch enc := strings.ToLower(r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("%w: the body is not gzip, though Content-Encoding says so", errBadRequest)
		}
		body = z
	default:
		return nil, fmt.Errorf("%w: Content-Encoding %.20q is not taken; use gzip or none", errBadRequest, enc)
	}
	b, err := io.ReadAll(io.LimitReader(body, limit+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || int64(len(b)) > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the body ended too early", errBadRequest)
	}
	return b, nil
}

// postForeign takes a payload in any configured format.
func (s *Server) postForeign(w http.ResponseWriter, r *http.Request) {
	s.takeForeign(w, r, chi.URLParam(r, "format"), s.answerOutcome)
}

// postIndicators takes figures of other systems, as JSON or CSV.
func (s *Server) postIndicators(w http.ResponseWriter, r *http.Request) {
	s.takeForeign(w, r, indicators, s.answerOutcome)
}

func (s *Server) takeForeign(w http.ResponseWriter, r *http.Request, format string, answer func(http.ResponseWriter, *http.Request, ingest.Outcome)) {
	f, ok := s.Format(format)
	if !ok {
		s.fail(w, r, fmt.Errorf("format %.40q: %w", format, devices.ErrNotFound))
		return
	}
	body, err := payload(w, r, ingest.MaxForeign)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	topic := r.URL.Path
	if q := r.URL.RawQuery; q != "" {
		topic += "?" + q
	}
	if ct, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && format == indicators {
		topic += "#" + ct
	}
	o, err := s.Pipeline.Take(r.Context(), "http", f, ingest.Input{Topic: topic, Payload: body, ReceivedAt: time.Now(), Sender: sentBy(r)})
	if err != nil {
		s.Log.Warn("a payload over HTTP was not taken", "component", "web", "format", format, "error", err)
		s.fail(w, r, errUnavailable)
		return
	}
	answer(w, r, o)
}

// influxWrite is InfluxDB's own path for line protocol, answered as InfluxDB
// would: 204 when something was kept. Lines that could not be taken are dead
// letters; the sender need not, and shall not, send them again.
func (s *Server) influxWrite(w http.ResponseWriter, r *http.Request) {
	s.takeForeign(w, r, lineProtocol, func(w http.ResponseWriter, r *http.Request, o ingest.Outcome) {
		if o.Stored+o.Duplicates > 0 || len(o.DeadLetters) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"code": "invalid", "message": o.DeadLetters[0].Message})
	})
}

// takeOsmAnd takes a phone's position in both of Traccar Client's forms, and
// answers as Traccar does: 200 with an empty body, 400 for an unknown device
// in the query form, 404 in the JSON form.
func (s *Server) takeOsmAnd(w http.ResponseWriter, r *http.Request) {
	jsonForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	if !jsonForm && r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			s.fail(w, r, fmt.Errorf("%w: the form cannot be read", errBadRequest))
			return
		}
		r.URL.RawQuery = r.Form.Encode()
	}
	s.takeForeign(w, r, osmAnd, func(w http.ResponseWriter, r *http.Request, o ingest.Outcome) {
		if o.Stored+o.Duplicates > 0 || len(o.DeadLetters) == 0 {
			return
		}
		if jsonForm && o.DeadLetters[0].Code == "device_unknown" {
			s.fail(w, r, fmt.Errorf("%s: %w", o.DeadLetters[0].Message, devices.ErrNotFound))
			return
		}
		s.fail(w, r, fmt.Errorf("%w: %s", errBadRequest, o.DeadLetters[0].Message))
	})
}
