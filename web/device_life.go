package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest/deadletters"
)

// waitCodes are the reasons for which what a device sends waits for a decision.
var waitCodes = []string{"device_unknown", "device_pending", "device_suspended", "device_retired"}

// approveDevice takes in a device that speaks without being known, or that waits
// to be approved, and all that it has said.
func (s *Server) approveDevice(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Reason string `json:"reason"`
		deviceForm
	}
	id, err := devices.ParseID(chi.URLParam(r, "id"))
	if err == nil {
		err = s.body(w, r, 64<<10, &b)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if b.Reason == "" {
		b.Reason = "approved"
	}
	d, err := s.Registry.Approve(r.Context(), id, b.Reason, s.within(r, b.put))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sum, err := s.replayWaiting(r.Context(), d.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, map[string]any{"device": s.whole(d), "replayed": sum})
}

// postLife takes a device to another life; replay sends what waits of it
// through the pipeline again, once it is active.
func (s *Server) postLife(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Life   devices.Life `json:"life"`
		Reason string       `json:"reason"`
		Replay bool         `json:"replay"`
	}
	d, err := s.device(r, people.DeviceLife)
	if err == nil {
		err = s.body(w, r, 8<<10, &b)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if b.Replay && b.Life != devices.Active {
		s.fail(w, r, &devices.FieldError{Field: "replay", Reason: "what waits is taken only when the device becomes active"})
		return
	}
	if d.Life == devices.Retired && !who(r).rights.Allow(people.DeviceRestore, deviceScope(d)) {
		s.fail(w, r, fmt.Errorf("device %s is retired; only an administrator may undo that: %w", d.ID, devices.ErrConflict))
		return
	}
	if d, err = s.Registry.SetLife(r.Context(), d.ID, b.Life, b.Reason); err != nil {
		s.fail(w, r, err)
		return
	}
	answer := map[string]any{"device": s.whole(d)}
	if b.Replay {
		sum, err := s.replayWaiting(r.Context(), d.ID)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		answer["replayed"] = sum
	}
	s.json(w, http.StatusOK, answer)
}

// replayWaiting sends all that waits of a device through the pipeline again.
// What is there already is not stored twice; if it ends half way, the rest still
// waits.
func (s *Server) replayWaiting(ctx context.Context, id devices.ID) (sum deadletters.Replayed, err error) {
	for _, code := range waitCodes {
		one, err := s.DeadLetters.Replay(ctx, deadletters.Filter{Device: id, Code: code}, s.Pipeline, s.Format)
		if err != nil {
			return sum, fmt.Errorf("device %s is active; replay what waited of it: %w", id, err)
		}
		sum.Letters, sum.Stored = sum.Letters+one.Letters, sum.Stored+one.Stored
		sum.Duplicates, sum.DeadLetters = sum.Duplicates+one.Duplicates, sum.DeadLetters+one.DeadLetters
	}
	return sum, nil
}

// waiting is what waits of devices that an import takes in; see sheet.Letters.
type waiting struct{ *Server }

// ReplayOf implements sheet.Letters.
func (s waiting) ReplayOf(ctx context.Context, ids []devices.ID, progress func(done, total int)) (stored int, err error) {
	all, err := s.DeadLetters.Waiting(ctx, waitCodes)
	if err != nil {
		return 0, err
	}
	waits := make(map[string]bool, len(all))
	for _, id := range all {
		waits[id.Key()] = true
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id devices.ID) bool { return !waits[id.Key()] })
	for i, id := range ids {
		progress(i, len(ids))
		sum, err := s.replayWaiting(ctx, id)
		if stored += sum.Stored; err != nil {
			return stored, err
		}
	}
	progress(len(ids), len(ids))
	return stored, nil
}
