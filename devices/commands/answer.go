package commands

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"haidang/devices"
)

// Answer is what a device published on …/replies/{name} or …/config/reported.
type Answer struct {
	Device devices.ID
	// Leaf is the topic behind the device: "replies/restart", "config/reported".
	Leaf    string
	Payload []byte
	At      time.Time
}

// maxAnswer bounds an answer, maxMessage the words in it.
const (
	maxAnswer  = 16 << 10
	maxMessage = 500
)

// reply is an answer to a command.
type reply struct {
	ID string `json:"id"`
	// Status is delivered, succeeded or failed.
	Status  State           `json:"status"`
	Message string          `json:"message"`
	Result  json.RawMessage `json:"result"`
}

// Take keeps answers in one transaction. An answer that cannot be taken has its
// *devices.FieldError at its place in refused and stops no other; err says that
// none was kept.
func (s *Service) Take(ctx context.Context, as []Answer) (refused []error, err error) {
	var ended []*Command
	firmware := map[devices.ID]string{}
	err = s.change(ctx, func(tx *sql.Tx) error {
		refused, ended = make([]error, len(as)), nil
		var changed []*Command
		for i, a := range as {
			var err error
			if name, is := strings.CutPrefix(a.Leaf, "replies/"); is {
				var c *Command
				var wasOpen bool
				if c, wasOpen, err = s.takeReply(ctx, tx, name, a); c != nil {
					changed = append(changed, c)
					if wasOpen && c.EndedAt != nil {
						ended = append(ended, c)
					}
				}
			} else {
				err = s.takeReport(ctx, tx, a, firmware)
			}
			if _, wrong := errors.AsType[*devices.FieldError](err); err != nil && !wrong {
				return err
			}
			refused[i] = err
		}
		return s.tellBatches(ctx, tx, changed)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range ended {
		s.endedAs(c.State, 1)
		s.waits(c.Device, -1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, f := range firmware {
		s.firmware[id] = f
	}
	return refused, nil
}

func decodeAnswer(payload []byte, into any) error {
	if len(payload) > maxAnswer {
		return &devices.FieldError{Field: "payload", Reason: fmt.Sprintf("an answer has at most %d bytes, this one %d", maxAnswer, len(payload))}
	}
	if !utf8.Valid(payload) {
		return &devices.FieldError{Field: "payload", Reason: "an answer is JSON in UTF-8"}
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return &devices.FieldError{Field: "payload", Reason: fmt.Sprintf("this is not the JSON of an answer: %v", err)}
	}
	return nil
}

// takeReply applies an answer to its command; nil when it says nothing new.
func (s *Service) takeReply(ctx context.Context, tx *sql.Tx, name string, a Answer) (c *Command, wasOpen bool, err error) {
	var r reply
	if err := decodeAnswer(a.Payload, &r); err != nil {
		return nil, false, err
	}
	c, err = one(ctx, tx, a.Device, r.ID)
	if errors.Is(err, devices.ErrNotFound) || err == nil && c.Name != name {
		return nil, false, &devices.FieldError{Field: "id", Reason: fmt.Sprintf("device %s was given no command %.40q with the id %.60q", a.Device, name, r.ID)}
	}
	if err != nil {
		return nil, false, err
	}
	at := a.At.UTC().Truncate(time.Millisecond)
	wasOpen = c.EndedAt == nil
	switch r.Status {
	case Delivered:
		if c.State != Queued && c.State != Sent {
			return nil, false, nil
		}
		c.State, c.DeliveredAt = Delivered, &at
	case Succeeded, Failed:
		if c.State == Succeeded || c.State == Failed { // it said so before
			return nil, false, nil
		}
		if c.DeliveredAt == nil {
			c.DeliveredAt = &at
		}
		// One that had timed out, or was stopped on its way, was done all the same.
		c.State, c.EndedAt, c.Message, c.Result = r.Status, &at, cut(r.Message), r.Result
	default:
		return nil, false, &devices.FieldError{Field: "status", Reason: fmt.Sprintf("%.40q is unknown; an answer is delivered, succeeded or failed", r.Status)}
	}
	return c, wasOpen, s.keep(ctx, tx, c)
}

// cut bounds a device's words without breaking a letter.
func cut(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}
