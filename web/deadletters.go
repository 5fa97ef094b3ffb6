package web

import (
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
	Topic      string       `json:"topic"`
	Device     devices.ID   `json:"device"`
	Stage      ingest.Stage `json:"stage"`
	Code       string       `json:"code"`
	Message    string       `json:"message"`
	Payload    []byte       `json:"payload"` // base64 in JSON
	Size       int          `json:"size"`
	Status     string       `json:"status"`
}

func (s *Server) listDeadLetters(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := deadletters.Filter{Stage: ingest.Stage(q.Get("stage")), Device: devices.ID(q.Get("device")), Code: q.Get("code")}
	var err error
	for _, read := range []func(){
		func() { f.From, err = timeParam(q.Get("from"), "from", time.Time{}) },
		func() { f.To, err = timeParam(q.Get("to"), "to", time.Time{}) },
		func() { f.Limit, err = intParam(q.Get("limit"), "limit", 100, 1000) },
		func() { f.Before, err = cursorParam(q.Get("cursor")) },
	} {
		if read(); err != nil {
			s.fail(w, r, err)
			return
		}
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

// replayDeadLetter sends a dead letter's bytes through the pipeline again.
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
	end := make(chan ingest.Outcome, 1)
	err = s.Pipeline.Submit(r.Context(), ingest.Message{Source: l.Source, Topic: l.Topic, Payload: l.Payload, ReceivedAt: l.ReceivedAt,
		Done: func(o ingest.Outcome) { end <- o }})
	if err != nil {
		s.fail(w, r, errUnavailable)
		return
	}
	select {
	case o := <-end:
		if len(o.DeadLetters) == 0 {
			err = s.DeadLetters.MarkReplayed(r.Context(), id)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answerOutcome(w, r, o)
	case <-r.Context().Done():
	}
}
