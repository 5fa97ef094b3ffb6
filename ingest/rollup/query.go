package rollup

import (
	"context"
	"slices"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Hours returns a metric's hours that lie between from and to, in order. What is
// still to be made is computed now, and provisional.
func (r *Rollups) Hours(ctx context.Context, id devices.ID, metric string, from, to time.Time) ([]Bucket, error) {
	return r.hours(ctx, id, metric, hourOf(from.Add(time.Hour-1)), hourOf(to))
}

func (r *Rollups) hours(ctx context.Context, id devices.ID, metric string, from, to int64) ([]Bucket, error) {
	if from >= to {
		return nil, nil
	}
	marked := r.marks.of(id, from, to) // first: what is made meanwhile is read below
	var kept []Bucket
	dev, m := r.store.key(r.store.devices, string(id)), r.store.key(r.store.metrics, metric)
	if dev != 0 && m != 0 {
		var err error
		if kept, err = r.store.hours(ctx, dev, m, from, to); err != nil {
			return nil, err
		}
	}
	if len(marked) == 0 {
		return kept, nil
	}
	first, last := to, from
	for h := range marked {
		first, last = min(first, h), max(last, h)
	}
	now, err := r.Journal.Series(ctx, ingest.SeriesQuery{Device: id, Metric: metric, From: hourStart(first), To: hourStart(last + 1), Window: time.Hour})
	if err != nil {
		return nil, err
	}
	kept = slices.DeleteFunc(kept, func(b Bucket) bool { return marked[hourOf(b.Start)] })
	expected := r.expected(id, time.Hour)
	for _, p := range now {
		if marked[hourOf(p.Time)] {
			kept = append(kept, Bucket{Start: p.Time.UTC(), Count: p.Count, Expected: expected, Mean: p.Mean, Min: p.Min, Max: p.Max, Last: p.Last, Provisional: true})
		}
	}
	slices.SortFunc(kept, func(a, b Bucket) int { return a.Start.Compare(b.Start) })
	return kept, nil
}

// Days returns a metric's days, which are Vietnam's, that lie between from and
// to, in order.
func (r *Rollups) Days(ctx context.Context, id devices.ID, metric string, from, to time.Time) ([]Bucket, error) {
	first := dayOfHour(hourOf(from.Add(time.Hour - 1)))
	if hourStart(firstHour(first)).Before(from) {
		first++
	}
	last := dayOfHour(hourOf(to))
	if first >= last {
		return nil, nil
	}
	hours, err := r.hours(ctx, id, metric, firstHour(first), firstHour(last))
	if err != nil {
		return nil, err
	}
	expected := r.expected(id, 24*time.Hour)
	var days []Bucket
	for i := range hours {
		start := hourStart(firstHour(dayOfHour(hourOf(hours[i].Start))))
		if len(days) == 0 || !days[len(days)-1].Start.Equal(start) {
			days = append(days, Bucket{Start: start, Expected: expected})
		}
		days[len(days)-1].join(&hours[i])
	}
	return days, nil
}
