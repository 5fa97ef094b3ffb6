package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/deadletters"
)

type deadLetterView struct {
	ID         int64        `json:"id"`
	ReceivedAt time.Time    `json:"received_at"`
	Source     string       `json:"source"`
	Sender     string       `json:"sender,omitempty"`
	Topic      string       `json:"topic"`
	Format     string       `json:"format,omitempty"`  // the decoder; empty for the native form
	Version    string       `json:"version,omitempty"` // of the decoder
	Device     devices.ID   `json:"device"`
	Stage      ingest.Stage `json:"stage"`
	Code       string       `json:"code"`
	Message    string       `json:"message"`
	Payload    []byte       `json:"payload"` // base64 in JSON
	Size       int          `json:"size"`
	Status     string       `json:"status"`
}

// deadLetterFilter reads which dead letters are meant.
func deadLetterFilter(r *http.Request) (f deadletters.Filter, err error) {
	q := r.URL.Query()
	f = deadletters.Filter{Stage: ingest.Stage(q.Get("stage")), Device: devices.ID(q.Get("device")), Code: q.Get("code"), Format: q.Get("format"), Version: q.Get("version"), Status: q.Get("status")}
	switch f.Status {
	case "", "new", "replayed", "discarded":
	default:
		return f, &devices.FieldError{Field: "status", Reason: fmt.Sprintf("%.20q is unknown; known are new, replayed, discarded", f.Status)}
	}
	if f.From, err = timeParam(q.Get("from"), "from", time.Time{}); err != nil {
		return f, err
	}
	if f.To, err = timeParam(q.Get("to"), "to", time.Time{}); err != nil {
		return f, err
	}
	if f.Limit, err = intParam(q.Get("limit"), "limit", 100, 1000); err != nil {
		return f, err
	}
	f.Before, err = cursorParam(q.Get("cursor"))
	return f, err
}

func (s *Server) listDeadLetters(w http.ResponseWriter, r *http.Request) {
	f, err := deadLetterFilter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if r.URL.Query().Get("export") == "ndjson" {
		s.exportDeadLetters(w, r, f)
		return
	}
	ls, next, err := s.DeadLetters.List(r.Context(), f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := make([]deadLetterView, len(ls))
	for i, l := range ls {
		items[i] = deadLetterView(l)
	}
	s.json(w, http.StatusOK, list{items, cursor(next)})
}

// exportDeadLetters writes all that match, one JSON object a line.
func (s *Server) exportDeadLetters(w http.ResponseWriter, r *http.Request, f deadletters.Filter) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="dead-letters.ndjson"`)
	enc := json.NewEncoder(w)
	for f.Limit = 500; ; {
		ls, next, err := s.DeadLetters.List(r.Context(), f)
		if err != nil {
			s.Log.Warn("export of dead letters ended early", "component", "web", "error", err)
			panic(http.ErrAbortHandler) // a cut-off file must not look whole
		}
		for _, l := range ls {
			if enc.Encode(deadLetterView(l)) != nil {
				return
			}
		}
		if f.Before = next; next == 0 {
			return
		}
	}
}

// replayDeadLetters sends those that match through the pipeline again.
func (s *Server) replayDeadLetters(w http.ResponseWriter, r *http.Request) {
	f, err := deadLetterFilter(r)
	if err == nil {
		var sum deadletters.Replayed
		if sum, err = s.DeadLetters.Replay(r.Context(), f, s.Pipeline, s.Format); err == nil {
			s.json(w, http.StatusOK, sum)
			return
		}
	}
	s.fail(w, r, err)
}

// discardDeadLetters and restoreDeadLetters set those that match aside, and back.
func (s *Server) discardDeadLetters(w http.ResponseWriter, r *http.Request) {
	s.changeDeadLetters(w, r, s.DeadLetters.Discard)
}

func (s *Server) restoreDeadLetters(w http.ResponseWriter, r *http.Request) {
	s.changeDeadLetters(w, r, s.DeadLetters.Restore)
}

func (s *Server) changeDeadLetters(w http.ResponseWriter, r *http.Request, change func(context.Context, deadletters.Filter) (int64, error)) {
	f, err := deadLetterFilter(r)
	if err == nil {
		var n int64
		if n, err = change(r.Context(), f); err == nil {
			s.json(w, http.StatusOK, map[string]int64{"letters": n})
			return
		}
	}
	s.fail(w, r, err)
}

// replayDeadLetter sends one dead letter's bytes through the pipeline again and
// answers as its sender would have been.
func (s *Server) replayDeadLetter(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		s.fail(w, r, devices.ErrNotFound)
		return
	}
	l, err := s.DeadLetters.Get(r.Context(), id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	m := ingest.Message{Source: l.Source, Sender: l.Sender, Topic: l.Topic, Payload: l.Payload, ReceivedAt: l.ReceivedAt}
	if l.Format != "" {
		known := false
		if m.Format, known = s.Format(l.Format); !known {
			s.fail(w, r, &devices.FieldError{Field: "format", Reason: fmt.Sprintf("the decoder %.40q is no longer configured", l.Format)})
			return
		}
	}
	if l.Size > len(l.Payload) {
		s.fail(w, r, &devices.FieldError{Field: "id", Reason: fmt.Sprintf("only the first %d of its %d bytes were kept: it cannot be replayed", len(l.Payload), l.Size)})
		return
	}
	end := make(chan ingest.Outcome, 1)
	m.Done = func(o ingest.Outcome) { end <- o }
	if err := s.Pipeline.Submit(r.Context(), m); err != nil {
		s.fail(w, r, errUnavailable)
		return
	}
	select {
	case o := <-end:
		if err = s.DeadLetters.MarkReplayed(r.Context(), id); err != nil {
			s.fail(w, r, err)
			return
		}
		s.answerOutcome(w, r, o)
	case <-r.Context().Done():
	}
}
