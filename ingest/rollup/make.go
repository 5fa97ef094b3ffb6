package rollup

import (
	"context"
	"maps"
	"slices"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Make makes the hours that are over at now and rest.
func (r *Rollups) Make(ctx context.Context, now time.Time) error {
	for {
		due := r.marks.due(now, makeAtOnce)
		if len(due) == 0 {
			return nil
		}
		if err := r.makeAll(ctx, due); err != nil {
			return err
		}
		select { // live readings come first
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (r *Rollups) makeAll(ctx context.Context, due map[deviceDay]map[int64]touched) error {
	tallies := make(map[deviceDay]*tally, len(due))
	for g, hours := range due {
		t, err := r.tally(ctx, g.device, slices.Collect(maps.Keys(hours)))
		if err != nil {
			return err
		}
		tallies[g] = t
	}
	w, err := r.store.begin(ctx)
	if err != nil {
		return err
	}
	defer w.tx.Rollback()
	for g, t := range tallies {
		if err := r.write(ctx, w, g.device, t); err != nil {
			return err
		}
		for h := range due[g] {
			if err := w.dropMark(ctx, g.device, h); err != nil {
				return err
			}
		}
	}
	if err := w.commit(); err != nil {
		return err
	}
	for g, hours := range due {
		r.marks.done(g, hours)
	}
	return nil
}

// tally reads hours of a device from the journal.
func (r *Rollups) tally(ctx context.Context, id devices.ID, hours []int64) (*tally, error) {
	t := newTally()
	if len(hours) == 0 {
		return t, nil
	}
	slices.Sort(hours)
	wanted := func(h int64) bool { _, ok := slices.BinarySearch(hours, h); return ok }
	q := ingest.ReadingsQuery{Device: id, From: hourStart(hours[0]), To: hourStart(hours[len(hours)-1] + 1), Limit: 10_000}
	for {
		rs, next, err := r.Journal.Readings(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range rs {
			if wanted(hourOf(rs[i].FixTime)) {
				t.add(&rs[i])
			}
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	t.end()
	expected := r.expected(id, time.Hour)
	for _, b := range t.buckets {
		b.Expected = expected
	}
	return t, nil
}

// expected is how many values a device's interval lets expect in a time.
func (r *Rollups) expected(id devices.ID, in time.Duration) float64 {
	d, ok := r.Registry.Get(id)
	if !ok {
		return 0
	}
	interval := r.Registry.Interval(d)
	if interval <= 0 {
		return 0
	}
	return float64(in) / float64(interval)
}

// write puts a device's hours.
func (r *Rollups) write(ctx context.Context, w *writing, id devices.ID, t *tally) error {
	if len(t.buckets) == 0 {
		return nil
	}
	dev, err := w.device(ctx, id)
	if err != nil {
		return err
	}
	floor := r.Journal.Floor(id)
	for k, b := range t.buckets {
		metric, err := w.metric(ctx, k.metric)
		if err != nil {
			return err
		}
		if err := w.put(ctx, dev, metric, k.hour, b, hourStart(k.hour).Before(floor)); err != nil {
			return err
		}
	}
	return nil
}
