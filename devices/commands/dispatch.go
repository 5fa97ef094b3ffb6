package commands

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"haidang/devices"
)

const (
	// perTurn is how many devices are sent to before what was sent is written
	// down, publishWait for how long the broker may take for one message.
	perTurn     = 100
	publishWait = 10 * time.Second
)

// Run sends what devices can hear and ends what waits too long, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	s.takeUp()
	for {
		now := time.Now()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now = <-tick.C:
			s.try(ctx, "end commands that wait too long", s.ageing(ctx, now))
		case <-s.wake:
		}
		s.try(ctx, "send configurations", s.sendConfigs(ctx))
		s.try(ctx, "send commands", s.sendDue(ctx, now))
	}
}

// takeUp sends what an earlier run of the program left to devices that are
// online and may not speak for long.
func (s *Service) takeUp() {
	s.mu.Lock()
	var ids []devices.ID
	for id := range s.open {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		if s.Online(id) {
			s.Heard(id)
		}
	}
	s.nudge()
}

// quietFor keeps the log from saying each second that the broker is away.
const quietFor = 30 * time.Second

// try says what went wrong, now and then; the next turn tries again.
func (s *Service) try(ctx context.Context, what string, err error) {
	if err == nil || ctx.Err() != nil || time.Since(s.complained) < quietFor {
		return
	}
	s.complained = time.Now()
	s.Log.Error(what, "error", err)
}

// sendDue publishes what is queued for devices that can hear, oldest first for
// each, and writes down what went. Devices that it did not come to stay due.
func (s *Service) sendDue(ctx context.Context, now time.Time) error {
	ids := s.takeDue()
	if len(ids) == 0 {
		return nil
	}
	var sent []*Command
	err := s.sendTo(ctx, &ids, now, &sent)
	s.mu.Lock()
	for _, id := range ids {
		s.due[id] = struct{}{}
	}
	if err == nil && len(s.due) > 0 {
		s.nudge()
	}
	s.mu.Unlock()
	if len(sent) == 0 {
		return err
	}
	return errors.Join(err, s.change(ctx, func(tx *sql.Tx) error { return s.wentOut(ctx, tx, sent) }))
}

// sendTo publishes to one device after the other; those that had their turn
// leave ids.
func (s *Service) sendTo(ctx context.Context, ids *[]devices.ID, now time.Time, sent *[]*Command) error {
	for len(*ids) > 0 {
		if id := (*ids)[0]; s.asksItself(id, now) && !s.Online(id) {
			*ids = (*ids)[1:]
			continue
		}
		cs, err := selected(ctx, s.DB, `device = ? AND state = 'queued' AND expires_at > ? ORDER BY seq`, string((*ids)[0]), now.UnixMilli())
		if err != nil {
			return err
		}
		for _, c := range cs {
			if err := s.publish(ctx, c.topic(), false, c.payload()); err != nil {
				return err
			}
			*sent = append(*sent, c)
		}
		*ids = (*ids)[1:]
	}
	return nil
}

// wentOut writes down that the broker has commands. Their answers may be there
// already: only what still waits becomes sent.
func (s *Service) wentOut(ctx context.Context, tx *sql.Tx, sent []*Command) error {
	at := time.Now().UTC().Truncate(time.Millisecond)
	for _, c := range sent {
		now, err := one(ctx, tx, c.Device, c.ID)
		if err != nil {
			return err
		}
		now.SentAt, now.Attempts = &at, now.Attempts+1
		if now.State == Queued {
			now.State = Sent
		}
		if err := s.keep(ctx, tx, now); err != nil {
			return err
		}
	}
	return s.tellBatches(ctx, tx, sent)
}

func (s *Service) takeDue() []devices.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []devices.ID
	for id := range s.due {
		if len(ids) == perTurn {
			break
		}
		ids = append(ids, id)
		delete(s.due, id)
	}
	return ids
}

func (s *Service) publish(ctx context.Context, topic string, retained bool, payload []byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	if err := s.Publish(ctx, topic, retained, payload); err != nil {
		return fmt.Errorf("publish on %s: %w", topic, err)
	}
	return nil
}

// ageing ends what is past its time, and puts what was sent without an answer
// back into the queue, to be sent when its device is next heard.
func (s *Service) ageing(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	none := len(s.open) == 0
	s.mu.Unlock()
	if none {
		return nil
	}
	now = now.UTC().Truncate(time.Millisecond)
	// While this program was down no answer could come: the wait begins anew.
	cs, err := selected(ctx, s.DB, `state IN ('queued','sent','delivered') AND (expires_at <= ?1 OR
		state = 'sent' AND max(sent_at, ?2) + timeout_ms <= ?1 OR state = 'delivered' AND max(delivered_at, ?2) + timeout_ms <= ?1) LIMIT 1000`,
		now.UnixMilli(), s.began.UnixMilli())
	if err != nil || len(cs) == 0 {
		return err
	}
	var changed []*Command
	err = s.change(ctx, func(tx *sql.Tx) error {
		changed = changed[:0]
		for _, c := range cs {
			c, err := one(ctx, tx, c.Device, c.ID)
			if err != nil {
				return err
			}
			if !c.age(now, s.began) {
				continue
			}
			if err := s.keep(ctx, tx, c); err != nil {
				return err
			}
			changed = append(changed, c)
		}
		return s.tellBatches(ctx, tx, changed)
	})
	if err != nil {
		return err
	}
	for _, c := range changed {
		if c.EndedAt != nil {
			s.endedAs(c.State, 1)
			s.waits(c.Device, -1)
		}
	}
	return nil
}

// age moves a command on by time alone, and says whether it did. A delivered
// one may outlast its expiry: the device has it.
func (c *Command) age(now, began time.Time) bool {
	waited := func(since *time.Time) bool {
		if since == nil {
			return false
		}
		from := *since
		if began.After(from) {
			from = began
		}
		return now.Sub(from) >= time.Duration(c.Timeout*float64(time.Second))
	}
	over := !now.Before(c.ExpiresAt)
	switch {
	case c.State == Queued && over && c.Attempts == 0:
		c.State = Expired
	case c.State == Queued && over,
		c.State == Sent && waited(c.SentAt) && (over || c.Attempts >= maxAttempts),
		c.State == Delivered && waited(c.DeliveredAt):
		c.State = TimedOut
	case c.State == Sent && waited(c.SentAt):
		c.State = Queued
		return true
	default:
		return false
	}
	c.EndedAt = &now
	return true
}
