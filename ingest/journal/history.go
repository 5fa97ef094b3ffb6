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
func (j *Journal) Readings(ctx context.Context, q ingest.ReadingsQuery) ([]ingest.Reading, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 1000
	}
	limit = min(limit, maxReadings)
	afterTS, afterSeq := q.From.UnixMilli(), int64(math.MinInt64)
	if q.Cursor != "" {
		if _, err := fmt.Sscanf(q.Cursor, "%d.%d", &afterTS, &afterSeq); err != nil {
			return nil, "", &devices.FieldError{Field: "cursor", Reason: "this cursor was not given out by this list"}
		}
	}
	var items []ingest.Reading
	err := j.scan(ctx, q.Device, afterTS, afterSeq, q.To.UnixMilli(), limit+1, func(seq int64, r *ingest.Reading) {
		items = append(items, *r)
		if len(items) == limit {
			afterTS, afterSeq = r.FixTime.UnixMilli(), seq
		}
	})
	if err != nil {
		return nil, "", err
	}
	if len(items) > limit {
		return items[:limit], fmt.Sprintf("%d.%d", afterTS, afterSeq), nil
	}
	return items, "", nil
}

// Series implements ingest.History.
func (j *Journal) Series(ctx context.Context, q ingest.SeriesQuery) ([]ingest.Point, error) {
	var points []ingest.Point
	window := q.Window.Milliseconds()
	err := j.scan(ctx, q.Device, q.From.UnixMilli(), math.MinInt64, q.To.UnixMilli(), math.MaxInt, func(_ int64, r *ingest.Reading) {
		v, ok := r.Value(q.Metric)
		if !ok || v.Quality != ingest.Good {
			return
		}
		at := r.FixTime
		if window > 0 {
			ms := at.UnixMilli()
			at = time.UnixMilli(ms - ms%window).UTC()
		}
		if n := len(points); n == 0 || window == 0 || !points[n-1].Time.Equal(at) {
			points = append(points, ingest.Point{Time: at, Min: v.Number, Max: v.Number})
		}
		p := &points[len(points)-1]
		p.Count++
		p.Mean += (v.Number - p.Mean) / float64(p.Count)
		p.Min, p.Max, p.Last = min(p.Min, v.Number), max(p.Max, v.Number), v.Number
	})
	return points, err
}

// scan calls fn for the device's readings with (ts, seq) after the given pair
// and ts < to, ordered by them, at most limit.
func (j *Journal) scan(ctx context.Context, dev devices.ID, ts, seq, to int64, limit int, fn func(seq int64, r *ingest.Reading)) error {
	head := j.Head()
	for _, f := range j.byStart() {
		from := f.start.UnixMilli()
		if to <= from || ts >= from+period.Milliseconds() || limit <= 0 {
			continue
		}
		n, err := f.scanDevice(ctx, dev, ts, seq, to, head, limit, fn)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
		limit -= n
	}
	return nil
}

func (f *file) scanDevice(ctx context.Context, dev devices.ID, ts, seq, to int64, head ingest.Pos, limit int, fn func(int64, *ingest.Reading)) (int, error) {
	f.mu.RLock()
	key, ok := f.devices.keys[string(dev)]
	f.mu.RUnlock()
	if !ok {
		return 0, nil
	}
	rows, err := f.read.QueryContext(ctx, `SELECT `+rowColumns+` FROM entry
		WHERE device = ? AND kind = ? AND ts >= ? AND (ts, seq) > (?, ?) AND ts < ? AND pos <= ?
		ORDER BY ts, seq LIMIT ?`, key, kindReading, ts, ts, seq, to, int64(head), limit)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var r row
		var d int64
		if err := rows.Scan(&r.pos, &d, &r.kind, &r.ts, &r.seq, &r.recv, &r.flags, &r.lat, &r.lon, &r.body); err != nil {
			return n, err
		}
		r.device = string(dev)
		f.mu.RLock()
		e, err := f.entry(&r)
		f.mu.RUnlock()
		if err != nil {
			return n, err
		}
		fn(r.seq, e.Reading)
		n++
	}
	return n, rows.Err()
}
