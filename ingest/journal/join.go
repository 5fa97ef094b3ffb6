package journal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

const (
	// joinAt is at how many runs of a device's day they are joined before the
	// day is over: a question for the last hours reads so many at most.
	joinAt = 24
	// joinAtOnce bounds one transaction, and so how long a settling waits.
	joinAtOnce = 64
	// restAfter is how long after its end a day's runs are joined.
	restAfter = 2 * time.Hour
)

// Join makes one run of the many that a device's day came in. Those of vessels
// stay as they came: they are chained.
func (j *Journal) Join(ctx context.Context, now time.Time) error {
	starts, err := listShelves(j.dir)
	if err != nil {
		return fmt.Errorf("list journal folder: %w", err)
	}
	for _, start := range starts {
		if j.restsSince(start) {
			continue
		}
		for more := true; more && ctx.Err() == nil; {
			if more, err = j.joinSome(ctx, start, now); err != nil {
				return fmt.Errorf("join runs: %w", err)
			}
		}
	}
	return ctx.Err()
}

// restsSince says that nothing came to a shelf since all of it was joined.
func (j *Journal) restsSince(start time.Time) bool {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	_, rests := j.rested[start.Unix()]
	return rests
}

// heap is the runs of one device, kind and day.
type heap struct {
	device devices.ID
	kind   uint8
	day    int64
}

func (j *Journal) joinSome(ctx context.Context, start, now time.Time) (more bool, err error) {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	s, err := j.shelf(ctx, start, false)
	if err != nil || s == nil {
		return false, err
	}
	heaps, err := s.heaps(ctx, now)
	if err != nil {
		return false, err
	}
	if len(heaps) == 0 {
		if start.Add(period + restAfter).Before(now) {
			j.rested[start.Unix()] = struct{}{}
		}
		return false, nil
	}
	w, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer w.rollback()
	for _, h := range heaps {
		rs, err := s.runs(ctx, h.device, h.kind, h.day*day, (h.day+1)*day)
		if err != nil {
			return false, err
		}
		var all []ingest.Entry
		for i := range rs {
			es, err := s.decode(h.device, &rs[i])
			if err != nil {
				return false, err
			}
			all = append(all, es...)
			if err := w.drop(ctx, rs[i].id); err != nil {
				return false, err
			}
		}
		if err := w.put(ctx, inOrder(all)); err != nil {
			return false, err
		}
	}
	if err := w.commit(); err != nil {
		return false, err
	}
	if len(heaps) == joinAtOnce {
		return true, nil
	}
	// The room that became free is given back.
	_, err = s.db.ExecContext(ctx, `PRAGMA incremental_vacuum`)
	return false, err
}

// heaps finds the device's days that are to be joined: full runs stay as they
// are.
func (s *shelf) heaps(ctx context.Context, now time.Time) (hs []heap, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT device, kind, first/? AS d, count(*) AS c, sum(n) AS rows FROM run WHERE device NOT IN (SELECT device FROM link) GROUP BY device, kind, d
		HAVING c - (rows + ? - 1) / ? >= CASE WHEN d < ? THEN 1 ELSE ? END LIMIT ?`,
		day, maxRun, maxRun, dayOf(now.Add(-restAfter).UnixMilli()), joinAt, joinAtOnce)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var h heap
		var key uint64
		var c, n int64
		if err := rows.Scan(&key, &h.kind, &h.day, &c, &n); err != nil {
			return nil, err
		}
		name, ok := s.devices.name(key)
		if !ok {
			return nil, fmt.Errorf("%w: a device in %s has no name", errRun, s.path)
		}
		h.device = devices.ID(name)
		hs = append(hs, h)
	}
	return hs, rows.Err()
}

// inOrder sorts entries of one device and kind by time and leaves out what is
// there twice.
func inOrder(es []ingest.Entry) []ingest.Entry {
	type keyed struct {
		id identity
		at int
	}
	ks := make([]keyed, len(es))
	sorted := true
	for i := range es {
		ks[i] = keyed{identify(&es[i]), i}
		sorted = sorted && (i == 0 || ks[i-1].id.compare(ks[i].id) < 0)
	}
	if sorted {
		return es
	}
	slices.SortStableFunc(ks, func(a, b keyed) int { return a.id.compare(b.id) })
	ks = slices.CompactFunc(ks, func(a, b keyed) bool { return a.id == b.id })
	out := make([]ingest.Entry, len(ks))
	for i, k := range ks {
		out[i] = es[k.at]
	}
	return out
}
