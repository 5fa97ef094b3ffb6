package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"haidang/devices"
)

// Expiry says what is old enough to go. Entries go by whole days (UTC).
type Expiry struct {
	// Before is, of a device, the time before which its entries go; the zero
	// time: none.
	Before func(devices.ID) time.Time
	// Held says whether something keeps entries between two fix times, both
	// included, ms. It may be nil.
	Held func(dev devices.ID, first, last int64) bool
}

// Expired is what went, or would go, of a device.
type Expired struct {
	Device devices.ID
	Event  bool // its events; else its readings
	// Entries are how many, Bytes what they take on their shelf, Oldest and
	// Newest their fix times, ms since 1970 UTC.
	Entries, Bytes int64
	Oldest, Newest int64
}

// expireAtOnce bounds one transaction, and so how long a settling waits.
const expireAtOnce = 200

// WouldExpire calls fn with what Expire would remove, device by device and week
// by week.
func (j *Journal) WouldExpire(ctx context.Context, x Expiry, fn func(Expired)) error {
	return j.expiring(ctx, x, func(s *shelf, h expiring) error {
		for after := int64(0); ; {
			rs, next, err := s.expired(ctx, h, after, x.Held)
			if err != nil {
				return err
			}
			if e := sum(h, rs); e.Entries > 0 {
				fn(e)
			}
			if after = next; next == 0 {
				return nil
			}
		}
	}, nil)
}

// Expire removes what is old enough, by small steps, and tells each. What
// vessels' blocks were is left in their chains. It is the only thing that ever
// removes entries.
func (j *Journal) Expire(ctx context.Context, x Expiry, step func(Expired) error) error {
	return j.expiring(ctx, x, func(s *shelf, h expiring) error {
		for after := int64(0); ; {
			e, next, err := j.expireSome(ctx, s, h, after, x.Held)
			if err == nil && e.Entries > 0 {
				err = step(e)
			}
			if err != nil {
				return err
			}
			if after = next; next == 0 {
				return nil
			}
		}
	}, func(start time.Time) error { return j.tidy(ctx, start) })
}

// expiring is a device and kind of which something may go.
type expiring struct {
	device devices.ID
	key    uint64
	kind   uint8
	before int64 // ms, the beginning of a day
}

// expiring calls some for each device, kind and shelf of which something may go,
// and done, unless it is nil, after each shelf.
func (j *Journal) expiring(ctx context.Context, x Expiry, some func(*shelf, expiring) error, done func(time.Time) error) error {
	starts, err := listShelves(j.dir)
	if err != nil {
		return fmt.Errorf("list journal folder: %w", err)
	}
	for _, start := range sortTimes(starts) {
		s, err := j.shelf(ctx, start, false)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		all, err := s.mayExpire(ctx, x.Before)
		if err != nil {
			return err
		}
		for _, h := range all {
			if err := some(s, h); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if len(all) > 0 && done != nil {
			if err := done(start); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shelf) mayExpire(ctx context.Context, before func(devices.ID) time.Time) (all []expiring, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT device, kind, min(first) FROM run GROUP BY device, kind`)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var h expiring
		var first int64
		if err := rows.Scan(&h.key, &h.kind, &first); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.path, err)
		}
		name, ok := s.devices.name(h.key)
		if !ok {
			return nil, fmt.Errorf("%w: a device in %s has no name", errRun, s.path)
		}
		h.device = devices.ID(name)
		t := before(h.device)
		if t.IsZero() {
			continue
		}
		if h.before = dayOf(t.UnixMilli()) * day; first < h.before {
			all = append(all, h)
		}
	}
	return all, rows.Err()
}

// expiredRun is a run that is old enough, without its body.
type expiredRun struct {
	id, first, last int64
	n, bytes        int64
	link            Link // of a vessel's; else No is 0
}

// expired finds runs that are old enough and held by nothing, after an id; next
// is where to go on, 0 at the end.
func (s *shelf) expired(ctx context.Context, h expiring, after int64, held func(devices.ID, int64, int64) bool) (rs []expiredRun, next int64, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT run.id, first, last, n, length(body), link.no, link.hash FROM run LEFT JOIN link ON link.run = run.id
		WHERE run.device=? AND kind=? AND last<? AND run.id>? ORDER BY run.id LIMIT ?`, h.key, h.kind, h.before, after, expireAtOnce)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var r expiredRun
		var no sql.NullInt64
		if err := rows.Scan(&r.id, &r.first, &r.last, &r.n, &r.bytes, &no, &r.link.Hash); err != nil {
			return nil, 0, fmt.Errorf("read %s: %w", s.path, err)
		}
		r.link.No = no.Int64
		seen, next = seen+1, r.id
		if held == nil || !held(h.device, r.first, r.last) {
			rs = append(rs, r)
		}
	}
	if seen < expireAtOnce {
		next = 0
	}
	return rs, next, rows.Err()
}

func sum(h expiring, rs []expiredRun) Expired {
	e := Expired{Device: h.device, Event: h.kind == kindEvent}
	for i, r := range rs {
		e.Entries, e.Bytes = e.Entries+r.n, e.Bytes+r.bytes
		if i == 0 || r.first < e.Oldest {
			e.Oldest = r.first
		}
		if i == 0 || r.last > e.Newest {
			e.Newest = r.last
		}
	}
	return e
}

// expireSome removes some runs of a device from a shelf.
func (j *Journal) expireSome(ctx context.Context, s *shelf, h expiring, after int64, held func(devices.ID, int64, int64) bool) (e Expired, next int64, err error) {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	rs, next, err := s.expired(ctx, h, after, held)
	if err != nil || len(rs) == 0 {
		return e, next, err
	}
	if err := j.raiseFloor(ctx, h); err != nil {
		return e, 0, err
	}
	if err := j.buryLinks(ctx, h, rs); err != nil {
		return e, 0, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return e, 0, fmt.Errorf("write %s: %w", s.path, err)
	}
	defer tx.Rollback()
	for _, r := range rs {
		if _, err := tx.ExecContext(ctx, `DELETE FROM run WHERE id=?`, r.id); err != nil {
			return e, 0, fmt.Errorf("write %s: %w", s.path, err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM masked WHERE run=?`, r.id); err != nil {
			return e, 0, fmt.Errorf("write %s: %w", s.path, err)
		}
		if r.link.No == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM link WHERE run=?`, r.id); err != nil {
			return e, 0, fmt.Errorf("write %s: %w", s.path, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return e, 0, fmt.Errorf("write %s: %w", s.path, err)
	}
	return sum(h, rs), next, nil
}

// buryLinks notes in a vessel's chain, before they go, which blocks go.
func (j *Journal) buryLinks(ctx context.Context, h expiring, rs []expiredRun) error {
	var blocks []goneBlock
	for _, r := range rs {
		if r.link.No > 0 {
			blocks = append(blocks, goneBlock{r.link, r.last})
		}
	}
	if len(blocks) == 0 {
		return nil
	}
	return j.chain.bury(ctx, string(h.device), blocks, time.Now())
}

// tidy gives back the room on a shelf, and takes it away when it is empty and
// its time is over.
func (j *Journal) tidy(ctx context.Context, start time.Time) error {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	s, err := j.shelf(ctx, start, false)
	if err != nil || s == nil {
		return err
	}
	var left bool
	if err := s.db.QueryRowContext(ctx, `SELECT EXISTS(SELECT 1 FROM run)`).Scan(&left); err != nil {
		return fmt.Errorf("read %s: %w", s.path, err)
	}
	if left || !start.Add(period).Before(time.Now()) {
		if _, err := s.db.ExecContext(ctx, `PRAGMA incremental_vacuum`); err != nil {
			return fmt.Errorf("write %s: %w", s.path, err)
		}
		return nil
	}
	// Nobody looks for an entry there meanwhile.
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	j.spots.clear()
	j.mu.Lock()
	delete(j.shelves, start.Unix())
	j.mu.Unlock()
	if err := s.remove(); err != nil {
		return fmt.Errorf("drop journal file %s: %w", s.path, err)
	}
	return nil
}
