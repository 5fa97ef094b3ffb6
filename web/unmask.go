package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/people"
	"haidang/ingest"
	"haidang/ingest/reports"
)

// What is hidden is given once, to who has the right and says why; the audit log
// has it before they have.

// unmaskReport answers what of a report is hidden.
func (s *Server) unmaskReport(w http.ResponseWriter, r *http.Request) {
	var b struct{ Reason string }
	err := s.body(w, r, 8<<10, &b)
	if err == nil {
		err = s.mayReport(r, people.PersonalUnmask)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.Reports.Unmask(r.Context(), chi.URLParam(r, "code"), b.Reason)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.unmasked(w, p)
}

// unmaskEvents answers what a device said at one time, as it said it.
func (s *Server) unmaskEvents(w http.ResponseWriter, r *http.Request) {
	var b struct {
		TS     time.Time `json:"ts"`
		Reason string    `json:"reason"`
	}
	d, err := s.device(r, people.PersonalUnmask)
	if err == nil {
		err = s.body(w, r, 8<<10, &b)
	}
	if err == nil && b.TS.IsZero() {
		err = &devices.FieldError{Field: "ts", Reason: "say which event: its ts, as the list has it"}
	}
	var es []ingest.Event
	if err == nil {
		es, _, err = s.Events.Events(r.Context(), ingest.ReadingsQuery{Device: d.ID, From: b.TS, To: b.TS.Add(time.Millisecond)})
	}
	if err == nil && len(es) == 0 {
		err = &devices.FieldError{Field: "ts", Reason: "the device said nothing at that time"}
	}
	if err == nil {
		err = s.saysWhy(r, b.Reason, audit.Entry{Action: "event.unmask", Kind: "device", ID: string(d.ID), After: asJSON(map[string]any{"ts": b.TS.UTC(), "events": len(es)})})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := make([]eventView, len(es))
	for i := range es {
		items[i] = rawEvent(&es[i])
		items[i].AreaVersion = s.eventArea(&es[i])
		json.Unmarshal(es[i].Data, &items[i].Data) // was an object when it was kept
	}
	s.unmasked(w, list{Items: items})
}

// unmaskDeadLetter answers with a dead letter as it came.
func (s *Server) unmaskDeadLetter(w http.ResponseWriter, r *http.Request) {
	var b struct{ Reason string }
	l, err := s.deadLetter(r)
	if err == nil && !who(r).rights.Everywhere(people.DeadLetterManage) {
		err = s.refusal(r)
	}
	if err == nil {
		err = s.body(w, r, 8<<10, &b)
	}
	if err == nil {
		err = s.saysWhy(r, b.Reason, audit.Entry{Action: "deadletter.unmask", Kind: "deadletter", ID: strconv.FormatInt(l.ID, 10)})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.unmasked(w, rawDeadLetter(l))
}

// saysWhy records that something hidden is given, with the reason.
func (s *Server) saysWhy(r *http.Request, reason string, e audit.Entry) error {
	var err error
	if e.Why, err = devices.AuditedReason(reason, reports.ToUnmask); err != nil {
		return err
	}
	return s.Audit.Record(r.Context(), e)
}

// unmasked answers with what no cache shall keep.
func (s *Server) unmasked(w http.ResponseWriter, v any) {
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusOK, v)
}
