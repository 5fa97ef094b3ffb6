package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"haidang/ingest"
)

// maskSchema is of a shelf: runs of events in which nothing is to be masked any
// more.
const maskSchema = `
CREATE TABLE IF NOT EXISTS masked(run INTEGER PRIMARY KEY);
`

// Mask takes out of an event's data what is not to be kept longer, and says
// whether there was any. n tells apart events that would be the same afterwards.
type Mask func(data json.RawMessage, n int) (json.RawMessage, bool)

// maskAtOnce bounds one transaction, and so how long a settling waits.
const maskAtOnce = 50

// WouldMask calls fn with the events that Mask would change.
func (j *Journal) WouldMask(ctx context.Context, x Expiry, mask Mask, fn func(Expired)) error {
	return j.masking(ctx, x, func(s *shelf, h expiring) error {
		for after := int64(0); ; {
			rs, next, err := s.unmasked(ctx, h, after, x)
			if err != nil {
				return err
			}
			for _, r := range rs {
				_, e, err := s.maskRun(h, r, mask)
				if err != nil {
					return err
				}
				if e.Entries > 0 {
					fn(e)
				}
			}
			if after = next; next == 0 {
				return nil
			}
		}
	})
}

// Mask masks the data of events that are old enough, by small steps, and tells
// each. Vessels' are never touched. An event that is sent again after that is
// another one.
func (j *Journal) Mask(ctx context.Context, x Expiry, mask Mask, step func(Expired) error) error {
	return j.masking(ctx, x, func(s *shelf, h expiring) error {
		for after := int64(0); ; {
			es, next, err := j.maskSome(ctx, s, h, after, x, mask)
			if err != nil {
				return err
			}
			for _, e := range es {
				if err := step(e); err != nil {
					return err
				}
			}
			if after = next; next == 0 {
				return nil
			}
		}
	})
}

func (j *Journal) masking(ctx context.Context, x Expiry, some func(*shelf, expiring) error) error {
	return j.expiring(ctx, x, func(s *shelf, h expiring) error {
		if h.kind != kindEvent || j.chain.has(string(h.device)) {
			return nil
		}
		return some(s, h)
	}, nil)
}

// unmasked finds runs that are old enough and were not looked at, after an id.
func (s *shelf) unmasked(ctx context.Context, h expiring, after int64, x Expiry) (rs []run, next int64, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, first, last, n, body FROM run WHERE device=? AND kind=? AND last<? AND id>? AND id NOT IN (SELECT run FROM masked)
		AND id NOT IN (SELECT run FROM link) ORDER BY id LIMIT ?`, h.key, h.kind, h.before, after, maskAtOnce)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var r run
		if err := rows.Scan(&r.id, &r.first, &r.last, &r.n, &r.body); err != nil {
			return nil, 0, fmt.Errorf("read %s: %w", s.path, err)
		}
		seen, next = seen+1, r.id
		if x.Held == nil || !x.Held(h.device, r.first, r.last) {
			rs = append(rs, r)
		}
	}
	if seen < maskAtOnce {
		next = 0
	}
	return rs, next, rows.Err()
}

// maskRun makes a run's events without what is masked; none, when there is
// nothing.
func (s *shelf) maskRun(h expiring, r run, mask Mask) (es []ingest.Entry, e Expired, err error) {
	if es, err = s.decode(h.device, &r); err != nil {
		return nil, e, err
	}
	e = Expired{Device: h.device, Event: true, Oldest: r.first, Newest: r.last}
	for i := range es {
		if data, changed := mask(es[i].Event.Data, i); changed {
			es[i].Event.Data = data
			e.Entries++
		}
	}
	return es, e, nil
}

func (j *Journal) maskSome(ctx context.Context, s *shelf, h expiring, after int64, x Expiry, mask Mask) (out []Expired, next int64, err error) {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	rs, next, err := s.unmasked(ctx, h, after, x)
	if err != nil || len(rs) == 0 {
		return nil, next, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("write %s: %w", s.path, err)
	}
	defer tx.Rollback()
	for _, r := range rs {
		es, e, err := s.maskRun(h, r, mask)
		if err != nil {
			return nil, 0, err
		}
		if e.Entries > 0 {
			body, err := encodeRun(inOrder(es), nil)
			if err != nil {
				return nil, 0, err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE run SET body=? WHERE id=?`, body, r.id); err != nil {
				return nil, 0, fmt.Errorf("write %s: %w", s.path, err)
			}
			out = append(out, e)
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO masked VALUES(?)`, r.id); err != nil {
			return nil, 0, fmt.Errorf("write %s: %w", s.path, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, 0, fmt.Errorf("write %s: %w", s.path, err)
	}
	// What was remembered of these runs is no more.
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	j.spots.clear()
	return out, next, nil
}
