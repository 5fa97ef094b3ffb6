package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/ingest"
)

// replayDeadLetters sends those that match through the pipeline again.
func (s *Server) replayDeadLetters(w http.ResponseWriter, r *http.Request) {
	f, err := actFilter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sum, err := s.DeadLetters.Replay(r.Context(), f, s.Pipeline, s.Format)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.note(r, audit.Entry{Action: "deadletter.replay", Kind: "deadletter", ID: cut(r.URL.RawQuery, 500), After: asJSON(sum)})
	s.json(w, http.StatusOK, sum)
}

// discardDeadLetters sets those that match aside. By discarded_at they, and no
// others, can be restored.
func (s *Server) discardDeadLetters(w http.ResponseWriter, r *http.Request) {
	f, err := actFilter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	n, err := s.DeadLetters.Discard(r.Context(), f, at)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	done := map[string]any{"letters": n, "discarded_at": at}
	s.note(r, audit.Entry{Action: "deadletter.discard", Kind: "deadletter", ID: cut(r.URL.RawQuery, 500), After: asJSON(done)})
	s.json(w, http.StatusOK, done)
}

// restoreDeadLetters makes those that match new again.
func (s *Server) restoreDeadLetters(w http.ResponseWriter, r *http.Request) {
	f, err := actFilter(r, "discarded_at")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	n, err := s.DeadLetters.Restore(r.Context(), f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	done := map[string]any{"letters": n}
	s.note(r, audit.Entry{Action: "deadletter.restore", Kind: "deadletter", ID: cut(r.URL.RawQuery, 500), After: asJSON(done)})
	s.json(w, http.StatusOK, done)
}

// replayDeadLetter sends one dead letter's bytes through the pipeline again and
// answers as its sender would have been.
func (s *Server) replayDeadLetter(w http.ResponseWriter, r *http.Request) {
	l, err := s.deadLetter(r)
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
		if err = s.DeadLetters.MarkReplayed(r.Context(), l.ID); err != nil {
			s.fail(w, r, err)
			return
		}
		s.note(r, audit.Entry{Action: "deadletter.replay", Kind: "deadletter", ID: strconv.FormatInt(l.ID, 10)})
		s.answerOutcome(w, r, o)
	case <-r.Context().Done():
	}
}
