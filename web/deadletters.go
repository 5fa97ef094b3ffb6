package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/personal"
	"haidang/ingest"
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
	// Cut: Payload is only the start of the Kept bytes.
	Cut bool `json:"cut"`
	// Masked: Payload or Message are not as they came.
	Masked      bool      `json:"masked"`
	Kept        int       `json:"kept"`
	Size        int       `json:"size"`
	Status      string    `json:"status"`
	DiscardedAt time.Time `json:"discarded_at,omitzero"`
}

// viewDeadLetter is a dead letter with what tells a person hidden.
func viewDeadLetter(l ingest.DeadLetter) deadLetterView {
	v := rawDeadLetter(l)
	v.Payload, v.Message = personal.Payload(v.Payload), personal.Text(v.Message)
	v.Masked = !bytes.Equal(v.Payload, l.Payload) || v.Message != l.Message
	return v
}

func rawDeadLetter(l ingest.DeadLetter) deadLetterView {
	if l.Payload == nil {
		l.Payload = []byte{} // "" in JSON, rather than null
	}
	return deadLetterView{ID: l.ID, ReceivedAt: l.ReceivedAt, Source: l.Source, Sender: l.Sender, Topic: l.Topic, Format: l.Format, Version: l.Version, Device: l.Device,
		Stage: l.Stage, Code: l.Code, Message: l.Message, Payload: l.Payload, Cut: len(l.Payload) < l.Kept, Kept: l.Kept, Size: l.Size, Status: l.Status, DiscardedAt: l.DiscardedAt}
}

func (s *Server) listDeadLetters(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("export") {
		s.exportDeadLetters(w, r)
		return
	}
	f, err := listFilter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	ls, next, err := s.DeadLetters.List(r.Context(), f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := make([]deadLetterView, len(ls))
	for i, l := range ls {
		items[i] = viewDeadLetter(l)
	}
	s.json(w, http.StatusOK, list{items, cursor(next)})
}

// exportDeadLetters writes all that match with their whole payloads, one JSON
// object a line, each as it is read.
func (s *Server) exportDeadLetters(w http.ResponseWriter, r *http.Request) {
	f, err := exportFilter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.note(r, audit.Entry{Action: "deadletter.export", Kind: "deadletter", ID: cut(r.URL.RawQuery, 500)})
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="dead-letters.ndjson"`)
	enc := json.NewEncoder(w)
	for l, err := range s.DeadLetters.All(r.Context(), f) {
		if err != nil {
			s.Log.Warn("export of dead letters ended early", "component", "web", "error", err)
			panic(http.ErrAbortHandler) // a cut-off file must not look whole
		}
		if enc.Encode(viewDeadLetter(l)) != nil {
			return
		}
	}
}

func (s *Server) getDeadLetter(w http.ResponseWriter, r *http.Request) {
	l, err := s.deadLetter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, viewDeadLetter(l))
}

// getDeadLetterPayload answers with the bytes as they came, but for what tells a
// person. They are a stranger's: a browser stores them, and never shows them as a page.
func (s *Server) getDeadLetterPayload(w http.ResponseWriter, r *http.Request) {
	l, err := s.deadLetter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="dead-letter-%d.bin"`, l.ID))
	payload := personal.Payload(l.Payload)
	w.Header().Set("Content-Length", strconv.Itoa(len(payload)))
	w.Write(payload)
}

// deadLetter is the one that the path names, whole.
func (s *Server) deadLetter(r *http.Request) (ingest.DeadLetter, error) {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		return ingest.DeadLetter{}, fmt.Errorf("dead letter %.40q: %w", chi.URLParam(r, "id"), devices.ErrNotFound)
	}
	return s.DeadLetters.Get(r.Context(), id)
}
