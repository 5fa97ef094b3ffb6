package web

import (
	"bytes"
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
	s.keepForeign(w, r, f, body, sentBy(r), answer)
}

// keepForeign hands over a payload and answers when it has come to its end.
func (s *Server) keepForeign(w http.ResponseWriter, r *http.Request, f *ingest.Format, body []byte, sender string, answer func(http.ResponseWriter, *http.Request, ingest.Outcome)) {
	topic := r.URL.Path
	if q, _ := takeKey(r.URL.RawQuery); q != "" { // a phone's secret is not kept, whoever passes it on
		topic += "?" + q
	}
	if f.Name == osmAnd && !bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("{")) {
		form, _ := takeKey(string(body))
		body = []byte(form)
	}
	if ct, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && f.Name == indicators {
		topic += "#" + ct
	}
	o, err := s.Pipeline.Take(r.Context(), "http", f, ingest.Input{Topic: topic, Payload: body, ReceivedAt: time.Now(), Sender: sender})
	if err != nil {
		s.Log.Warn("a payload over HTTP was not taken", "component", "web", "format", f.Name, "error", err)
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
