package retention

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// The states of a run, and of a class within it.
const (
	Planned  = "planned"  // it says what it would remove
	Removing = "removing" // it is at it, or was broken off and goes on
	Done     = "done"
	Deferred = "deferred" // a reader has not taken what would go
	Failed   = "failed"   // tried again the next night
)

// Run is one night's work.
type Run struct {
	ID        int64      `json:"id,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	State     string     `json:"state"`
	// Resumed is how often it went on after it was broken off.
	Resumed int `json:"resumed,omitempty"`
	// By is who started it; "system" by the clock.
	By    string `json:"by"`
	Items []Item `json:"items"`
	// Tracks is the digest of the vessel tracks' chains that this run noted, in
	// hex; empty: there are none.
	Tracks string `json:"tracks,omitempty"`
}

// Item is what a run does with a class.
type Item struct {
	Class string `json:"class"`
	Keep  Period `json:"keep"`
	State string `json:"state"`
	// Note says why it was deferred or failed.
	Note string `json:"note,omitempty"`
	// Would is what it said beforehand that it would remove, Removed what it
	// removed. After a kill, Removed may lack the last step.
	Would   Lots `json:"would"`
	Removed Lots `json:"removed"`
}

// totals are the counts by class, for the audit log.
func (r *Run) totals(of func(*Item) Lots) json.RawMessage {
	sum := map[string]int64{}
	for i := range r.Items {
		if n, _ := of(&r.Items[i]).Total(); n > 0 {
			sum[r.Items[i].Class] = n
		}
	}
	b, _ := json.Marshal(map[string]any{"counts": sum, "state": r.State, "tracks": r.Tracks})
	return b
}

// beginRun keeps the plan, before anything is removed.
func (s *Store) beginRun(ctx context.Context, r *Run) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO retention_run(started_at, body) VALUES(?, '')`, r.StartedAt.UnixMilli())
		if err != nil {
			return err
		}
		if r.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		if err := putRun(ctx, tx, r); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "retention.plan", Kind: "retention_run", ID: fmt.Sprint(r.ID), After: r.totals(func(i *Item) Lots { return i.Would })})
	})
	if err != nil {
		return fmt.Errorf("begin retention run: %w", err)
	}
	return nil
}

// saveRun keeps how far a run has come.
func (s *Store) saveRun(ctx context.Context, r *Run) error {
	if err := s.change(ctx, func(tx *sql.Tx) error { return putRun(ctx, tx, r) }); err != nil {
		return fmt.Errorf("save retention run: %w", err)
	}
	return nil
}

// endRun keeps what a run removed.
func (s *Store) endRun(ctx context.Context, r *Run) error {
	t := now()
	r.EndedAt = &t
	err := s.change(ctx, func(tx *sql.Tx) error {
		if err := putRun(ctx, tx, r); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "retention.remove", Kind: "retention_run", ID: fmt.Sprint(r.ID), After: r.totals(func(i *Item) Lots { return i.Removed })})
	})
	if err != nil {
		return fmt.Errorf("end retention run: %w", err)
	}
	return nil
}

func putRun(ctx context.Context, tx *sql.Tx, r *Run) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE retention_run SET ended_at = ?, body = ? WHERE id = ?`, ms(r.EndedAt), string(body), r.ID)
	return err
}

// Runs lists runs, newest first, at most limit below before (0: from the
// newest).
func (s *Store) Runs(ctx context.Context, before int64, limit int) ([]Run, error) {
	return s.runs(ctx, `WHERE (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?`, before, before, limit)
}

// Run finds a run, or is devices.ErrNotFound.
func (s *Store) Run(ctx context.Context, id int64) (Run, error) {
	rs, err := s.runs(ctx, `WHERE id = ?`, id)
	if err == nil && len(rs) == 0 {
		err = fmt.Errorf("retention run %d: %w", id, devices.ErrNotFound)
	}
	if err != nil {
		return Run{}, err
	}
	return rs[0], nil
}

// unfinished is the run that was broken off; nil: none was.
func (s *Store) unfinished(ctx context.Context) (*Run, error) {
	rs, err := s.runs(ctx, `WHERE ended_at IS NULL ORDER BY id DESC LIMIT 1`)
	if err != nil || len(rs) == 0 {
		return nil, err
	}
	return &rs[0], nil
}

func (s *Store) runs(ctx context.Context, what string, args ...any) ([]Run, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, body FROM retention_run `+what, args...)
	if err != nil {
		return nil, fmt.Errorf("list retention runs: %w", err)
	}
	defer rows.Close()
	out := []Run{}
	for rows.Next() {
		var r Run
		var id int64
		var body string
		if err = rows.Scan(&id, &body); err == nil {
			err = json.Unmarshal([]byte(body), &r)
		}
		if err != nil {
			return nil, fmt.Errorf("read retention run: %w", err)
		}
		r.ID = id
		out = append(out, r)
	}
	return out, rows.Err()
}
