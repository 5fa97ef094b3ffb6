package commands

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"haidang/devices"
)

// asksFor is how long a device that asked over HTTP counts as one that asks:
// meanwhile nothing is published to it while it is not online, for a message that
// nobody hears would use up its tries.
const asksFor = 7 * 24 * time.Hour

// Pending is what waits for a device that asks for it.
type Pending struct {
	// Items are its commands, oldest first. One stays among them until the
	// device answers, or its time is over; its id says that it is the same.
	Items []Order `json:"items"`
	// Config is its desired configuration, if it did not report that one.
	Config *Setting `json:"config,omitempty"`
}

// Setting is a configuration as a device gets it, over MQTT on …/config.
type Setting struct {
	Version int64           `json:"version"`
	Config  json.RawMessage `json:"config"`
}

// Pending gives a device that asks what waits for it: queued commands are sent
// by that.
func (s *Service) Pending(ctx context.Context, id devices.ID) (*Pending, error) {
	now := time.Now()
	if err := s.asked(ctx, id, now); err != nil {
		return nil, err
	}
	p := &Pending{Items: []Order{}}
	cfg, err := s.Config(ctx, id)
	if err != nil {
		return nil, err
	}
	if cfg.Version > 0 && (cfg.ReportedVersion == nil || *cfg.ReportedVersion != cfg.Version) {
		p.Config = &Setting{cfg.Version, cfg.Desired}
	}
	s.mu.Lock()
	waits := s.open[id] > 0
	s.mu.Unlock()
	if !waits {
		return p, nil
	}
	cs, err := selected(ctx, s.DB, `device = ? AND state IN ('queued','sent') AND expires_at > ? ORDER BY seq`, string(id), now.UnixMilli())
	if err != nil {
		return nil, err
	}
	var sent []*Command
	for _, c := range cs {
		p.Items = append(p.Items, c.order())
		if c.State == Queued {
			sent = append(sent, c)
		}
	}
	if len(sent) == 0 {
		return p, nil
	}
	return p, s.change(ctx, func(tx *sql.Tx) error { return s.wentOut(ctx, tx, sent) })
}

// asked notes that a device asks by itself.
func (s *Service) asked(ctx context.Context, id devices.ID, now time.Time) error {
	s.mu.Lock()
	last := s.asks[id]
	s.asks[id] = now
	s.mu.Unlock()
	if now.Sub(last) < time.Hour {
		return nil
	}
	if _, err := s.DB.ExecContext(ctx, `INSERT INTO command_poll VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at`, string(id), now.UnixMilli()); err != nil {
		return fmt.Errorf("note that %s asks for commands: %w", id, err)
	}
	return nil
}

// asksItself says whether a device comes for its commands, rather than hear
// them from the broker.
func (s *Service) asksItself(id devices.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ever := s.asks[id]
	return ever && now.Sub(at) < asksFor
}

// loadAsks reads which devices asked lately, and forgets the others.
func (s *Service) loadAsks(ctx context.Context) error {
	if _, err := s.DB.ExecContext(ctx, `DELETE FROM command_poll WHERE at < ?`, s.began.Add(-asksFor).UnixMilli()); err != nil {
		return err
	}
	rows, err := s.DB.QueryContext(ctx, `SELECT device, at FROM command_poll`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id devices.ID
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return err
		}
		s.asks[id] = time.UnixMilli(at)
	}
	return rows.Err()
}

// Counts are how many commands are in each open state now, and how many came
// to each end since the program began.
func (s *Service) Counts(ctx context.Context) (map[State]int, error) {
	counts := map[State]int{}
	rows, err := s.DB.QueryContext(ctx, `SELECT state, count(*) FROM command WHERE state IN ('queued','sent','delivered') GROUP BY state`)
	if err != nil {
		return nil, fmt.Errorf("count commands: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		counts[state] = n
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for state, n := range s.ended {
		counts[state] = n
	}
	return counts, nil
}

// IsOpen says whether a command in the state has not come to its end.
func (s State) IsOpen() bool { return slices.Contains([]State{Queued, Sent, Delivered}, s) }
