package journal

import (
	"context"
	"fmt"
	"math"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Source implements ingest.History.
func (j *Journal) Source() string { return "journal" }

// maxReadings bounds one answer of Readings.
const maxReadings = 10_000

// Readings implements ingest.History.
func (j *Journal) Readings(ctx context.Context, q ingest.ReadingsQuery) (items []ingest.Reading, next string, err error) {
	next, err = j.page(ctx, kindReading, q, func(e *ingest.Entry) { items = append(items, *e.Reading) })
	if err != nil {
		return nil, "", err
	}
	return items, next, nil
}

// Events returns what a device said happened, with from ≤ fix time < to, oldest
// first, as Readings does.
func (j *Journal) Events(ctx context.Context, q ingest.ReadingsQuery) (items []ingest.Event, next string, err error) {
	next, err = j.page(ctx, kindEvent, q, func(e *ingest.Entry) { items = append(items, *e.Event) })
	if err != nil {
		return nil, "", err
	}
	return items, next, nil
}

// page calls take for at most q.Limit entries of one kind and returns the cursor
// of what follows, empty at the end.
func (j *Journal) page(ctx context.Context, kind uint8, q ingest.ReadingsQuery, take func(*ingest.Entry)) (next string, err error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 1000
	}
	limit = min(limit, maxReadings)
	after := identity{kind, q.From.UnixMilli(), math.MinInt64}
	if q.Cursor != "" {
		if _, err := fmt.Sscanf(q.Cursor, "%d.%d", &after.ts, &after.seq); err != nil {
			return "", &devices.FieldError{Field: "cursor", Reason: "this cursor was not given out by this list"}
		}
	}
	n := 0
	err = j.scan(ctx, q.Device, kind, after.ts, q.To.UnixMilli(), func(e *ingest.Entry) bool {
		id := identify(e)
		if id.compare(after) <= 0 {
			return true
		}
		if n == limit {
			next = fmt.Sprintf("%d.%d", after.ts, after.seq)
			return false
		}
		take(e)
		n++
		after = id
		return true
	})
	return next, err
}

// scan calls fn for a device's entries of one kind with from ≤ fix time < to,
// in order, until it returns false.
func (j *Journal) scan(ctx context.Context, dev devices.ID, kind uint8, from, to int64, fn func(*ingest.Entry) bool) error {
	return j.days(ctx, dev, kind, from, to, func(s *shelf, rs []run, fresh []ingest.Entry) (bool, error) {
		all := fresh
		for i := range rs {
			es, err := s.decode(dev, &rs[i])
			if err != nil {
				return false, err
			}
			all = append(all, es...)
		}
		for _, e := range inOrder(all) {
			if ts := fixTime(&e).UnixMilli(); ts < from || ts >= to {
				continue
			}
			if !fn(&e) {
				return false, nil
			}
		}
		return true, nil
	})
}

// days calls fn for each day with entries of a device and kind between from and
// to, in order, with the runs that may hold them and the fresh entries.
func (j *Journal) days(ctx context.Context, dev devices.ID, kind uint8, from, to int64, fn func(s *shelf, rs []run, fresh []ingest.Entry) (bool, error)) error {
	// What is fresh first: what is settled meanwhile is then seen twice, never
	// missed.
	fresh, err := j.freshOf(dev, kind, from, to)
	if err != nil {
		return err
	}
	starts, err := j.periods(from, to, fresh)
	if err != nil {
		return err
	}
	for _, start := range starts {
		s, err := j.shelf(ctx, start, false)
		if err != nil {
			return err
		}
		var rs []run
		begin, end := max(from, start.UnixMilli()), min(to, start.Add(period).UnixMilli())
		if s != nil {
			if rs, err = s.runs(ctx, dev, kind, begin, end); err != nil {
				return err
			}
		}
		for d := dayOf(begin); d <= dayOf(end-1); d++ {
			n, k := 0, 0
			for n < len(rs) && dayOf(rs[n].first) == d {
				n++
			}
			for k < len(fresh) && dayOf(fixTime(&fresh[k]).UnixMilli()) == d {
				k++
			}
			if n+k == 0 {
				continue
			}
			if more, err := fn(s, rs[:n], fresh[:k:k]); err != nil || !more {
				return err
			}
			rs, fresh = rs[n:], fresh[k:]
		}
	}
	return ctx.Err()
}

// periods lists the periods between from and to that hold anything, in order.
func (j *Journal) periods(from, to int64, fresh []ingest.Entry) ([]time.Time, error) {
	if from >= to {
		return nil, nil
	}
	starts, err := listShelves(j.dir)
	if err != nil {
		return nil, fmt.Errorf("list journal folder: %w", err)
	}
	there := map[int64]struct{}{}
	for _, s := range starts {
		there[s.Unix()] = struct{}{}
	}
	for i := range fresh {
		there[periodStart(fixTime(&fresh[i])).Unix()] = struct{}{}
	}
	var ps []time.Time
	for s := range there {
		if t := time.Unix(s, 0).UTC(); t.UnixMilli() < to && t.Add(period).UnixMilli() > from {
			ps = append(ps, t)
		}
	}
	return sortTimes(ps), nil
}

func (j *Journal) freshOf(dev devices.ID, kind uint8, from, to int64) ([]ingest.Entry, error) {
	items := j.fresh.of(uint64(j.log.devices.key(string(dev))), kind, from, to, j.Head())
	es := make([]ingest.Entry, 0, len(items))
	for _, it := range items {
		e, err := j.log.unpack(it.pos, it.body)
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	return es, nil
}

func fixTime(e *ingest.Entry) time.Time {
	if e.Event != nil {
		return e.Event.FixTime
	}
	return e.Reading.FixTime
}
