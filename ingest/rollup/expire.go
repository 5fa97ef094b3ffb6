package rollup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"haidang/devices"
)

// Expired is what went, or would go, of a device's hours.
type Expired struct {
	Device         devices.ID
	Hours          int64
	Oldest, Newest int64 // when they begin, ms since 1970 UTC
}

// Expiry says what is old enough to go.
type Expiry struct {
	Before time.Time
	// Held says whether something keeps the hours of a device between two
	// times, ms. It may be nil.
	Held func(dev devices.ID, first, last int64) bool
}

// expireAtOnce is how many hours of a metric go in one transaction.
const expireAtOnce = 1000

// WouldExpire calls fn with what Expire would remove.
func (r *Rollups) WouldExpire(ctx context.Context, x Expiry, fn func(Expired)) error {
	return r.expiring(ctx, x, func(id devices.ID, dev, metric int64) error {
		for after := int64(minHour); ; {
			starts, next, err := r.old(ctx, x, id, dev, metric, after)
			if err != nil {
				return err
			}
			if len(starts) > 0 {
				fn(expired(id, starts))
			}
			if next == 0 {
				return nil
			}
			after = next
		}
	})
}

// Expire removes what is old enough, by small steps, and tells each.
func (r *Rollups) Expire(ctx context.Context, x Expiry, step func(Expired) error) error {
	return r.expiring(ctx, x, func(id devices.ID, dev, metric int64) error {
		for after := int64(minHour); ; {
			starts, next, err := r.old(ctx, x, id, dev, metric, after)
			if err == nil && len(starts) > 0 {
				if err = r.remove(ctx, dev, metric, starts); err == nil {
					err = step(expired(id, starts))
				}
			}
			if err != nil || next == 0 {
				return err
			}
			after = next
		}
	})
}

const minHour = -1 << 40

func expired(id devices.ID, starts []int64) Expired {
	return Expired{id, int64(len(starts)), hourStart(starts[0]).UnixMilli(), hourStart(starts[len(starts)-1]).UnixMilli()}
}

// expiring calls fn for each metric of each device that has any.
func (r *Rollups) expiring(ctx context.Context, x Expiry, fn func(id devices.ID, dev, metric int64) error) error {
	if x.Before.IsZero() {
		return nil
	}
	r.store.mu.Lock()
	devs := maps.Clone(r.store.devices)
	r.store.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(devs)) {
		metrics, err := r.store.metricsOf(ctx, devs[id])
		if err != nil {
			return err
		}
		for _, metric := range metrics {
			if err := fn(devices.ID(id), devs[id], metric); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// metricsOf are the metrics of which a device has hours: a look into the index
// for each, for a fleet has far more metrics than any of its devices.
func (s *store) metricsOf(ctx context.Context, dev int64) (metrics []int64, err error) {
	rows, err := s.db.QueryContext(ctx, `WITH RECURSIVE m(x) AS (SELECT min(metric) FROM hour WHERE device=?1
		UNION ALL SELECT (SELECT min(metric) FROM hour WHERE device=?1 AND metric>m.x) FROM m WHERE m.x IS NOT NULL)
		SELECT x FROM m WHERE x IS NOT NULL`, dev)
	if err != nil {
		return nil, fmt.Errorf("read old roll-ups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var x int64
		if err := rows.Scan(&x); err != nil {
			return nil, fmt.Errorf("read old roll-ups: %w", err)
		}
		metrics = append(metrics, x)
	}
	return metrics, rows.Err()
}

// old finds hours that are old enough and held by nothing, after one; next is
// where to go on, 0 at the end.
func (r *Rollups) old(ctx context.Context, x Expiry, id devices.ID, dev, metric, after int64) (starts []int64, next int64, err error) {
	rows, err := r.store.db.QueryContext(ctx, `SELECT start FROM hour WHERE device=? AND metric=? AND start>? AND start<? ORDER BY start LIMIT ?`, dev, metric, after, hourOf(x.Before), expireAtOnce)
	if err != nil {
		return nil, 0, fmt.Errorf("read old roll-ups: %w", err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var start int64
		if err := rows.Scan(&start); err != nil {
			return nil, 0, fmt.Errorf("read old roll-ups: %w", err)
		}
		seen, next = seen+1, start
		if from := hourStart(start).UnixMilli(); x.Held == nil || !x.Held(id, from, from+time.Hour.Milliseconds()-1) {
			starts = append(starts, start)
		}
	}
	if seen < expireAtOnce {
		next = 0
	}
	return starts, next, rows.Err()
}

func (r *Rollups) remove(ctx context.Context, dev, metric int64, starts []int64) error {
	w, err := r.store.begin(ctx)
	if err != nil {
		return err
	}
	defer w.tx.Rollback()
	for _, s := range starts {
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM hour WHERE device=? AND metric=? AND start=?`, dev, metric, s); err != nil {
			return fmt.Errorf("remove old roll-ups: %w", err)
		}
	}
	return w.commit()
}

// Waiting says whether roll-ups read the journal's shelves anew, and from which
// hour on something is still to be made; the zero time: nothing is.
func (r *Rollups) Waiting() (filling bool, from time.Time) {
	r.mu.Lock()
	filling = r.shelf.Pos != 0 || !r.shelf.Shelf.IsZero()
	r.mu.Unlock()
	r.marks.mu.Lock()
	defer r.marks.mu.Unlock()
	for k := range r.marks.by {
		if at := hourStart(k.hour); from.IsZero() || at.Before(from) {
			from = at
		}
	}
	return filling, from
}
