package rollup

import (
	"context"
	"time"

	"haidang/ingest"
)

// History is the journal's, with roll-ups where a series asks for whole hours:
// long stretches then read few rows, and reach back beyond the readings.
type History struct {
	ingest.History
	Rollups *Rollups
}

// Series implements ingest.History.
func (h History) Series(ctx context.Context, q ingest.SeriesQuery) ([]ingest.Point, error) {
	if q.Window < time.Hour || q.Window%time.Hour != 0 {
		return h.History.Series(ctx, q)
	}
	// The ends that are no whole hours come from the readings.
	first, last := hourStart(hourOf(q.From.Add(time.Hour-1))), hourStart(hourOf(q.To))
	if !first.Before(last) {
		return h.History.Series(ctx, q)
	}
	var w windows
	w.size = q.Window
	for _, end := range []struct{ from, to time.Time }{{q.From, first}, {first, last}, {last, q.To}} {
		if !end.from.Before(end.to) {
			continue
		}
		if end.from.Equal(first) && end.to.Equal(last) {
			hours, err := h.Rollups.Hours(ctx, q.Device, q.Metric, first, last)
			if err != nil {
				return nil, err
			}
			for i := range hours {
				w.join(&hours[i])
			}
			continue
		}
		part := q
		part.From, part.To, part.Window = end.from, end.to, time.Hour
		points, err := h.History.Series(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			w.join(&Bucket{Start: p.Time, Count: p.Count, Mean: p.Mean, Min: p.Min, Max: p.Max, Last: p.Last})
		}
	}
	return w.points(), nil
}

// windows puts hours together that come in order.
type windows struct {
	size time.Duration
	all  []Bucket
}

func (w *windows) join(b *Bucket) {
	ms := b.Start.UnixMilli()
	start := time.UnixMilli(ms - ms%w.size.Milliseconds()).UTC()
	if n := len(w.all); n == 0 || !w.all[n-1].Start.Equal(start) {
		w.all = append(w.all, Bucket{Start: start})
	}
	w.all[len(w.all)-1].join(b)
}

func (w *windows) points() []ingest.Point {
	var ps []ingest.Point
	for _, b := range w.all {
		ps = append(ps, ingest.Point{Time: b.Start, Mean: b.Mean, Min: b.Min, Max: b.Max, Last: b.Last, Count: b.Count})
	}
	return ps
}
