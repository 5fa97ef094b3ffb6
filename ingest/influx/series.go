package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"haidang/ingest"
)

// Series implements ingest.History. InfluxDB makes the windows of each series
// (a device that moved to another area has several); they are joined here.
func (h *History) Series(ctx context.Context, q ingest.SeriesQuery) ([]ingest.Point, error) {
	within, ok := fluxRange(q.From, q.To)
	if !ok {
		return nil, nil
	}
	measurement := ""
	if q.Type != "" {
		measurement = " and r._measurement == " + fluxString(string(q.Type))
	}
	flux := fmt.Sprintf(`data = from(bucket: %s) |> %s |> filter(fn: (r) => r.device == %s and r._field == %s%s)`,
		fluxString(h.cfg.Bucket), within, fluxString(string(q.Device)), fluxString(q.Metric), measurement)
	s := series{window: q.Window.Milliseconds(), points: map[int64]*windowed{}}
	if s.window <= 0 {
		flux += "\ndata |> drop(columns: [\"_start\", \"_stop\"])"
		if err := h.each(ctx, flux, s.addRaw); err != nil {
			return nil, err
		}
		return s.sorted(), nil
	}
	// One pass over the data feeds all five. Windows start at multiples of
	// their length since 1970, as the journal's do.
	flux += "\nw = data |> window(every: " + fluxDuration(q.Window) + ")\n"
	for _, agg := range []string{"sum", "min", "max", "count", "last"} {
		flux += fmt.Sprintf("w |> %s() |> yield(name: %q)\n", agg, agg)
	}
	if err := h.each(ctx, flux, s.addWindow); err != nil {
		return nil, err
	}
	return s.sorted(), nil
}

// windowed is a window while its parts come in.
type windowed struct {
	ingest.Point
	sum      float64
	lastTime time.Time
	min, max bool // whether Min, Max are set
}

type series struct {
	window int64 // ms
	points map[int64]*windowed
}

func (s *series) at(ms int64) *windowed {
	p := s.points[ms]
	if p == nil {
		p = &windowed{Point: ingest.Point{Time: time.UnixMilli(ms).UTC()}}
		s.points[ms] = p
	}
	return p
}

func (s *series) addRaw(rec *query.FluxRecord) {
	if x, ok := rec.Value().(float64); ok {
		p := s.at(rec.Time().UnixMilli())
		p.sum, p.Min, p.Max, p.Last, p.Count = x, x, x, x, 1
	}
}

func (s *series) addWindow(rec *query.FluxRecord) {
	ms := rec.Start().UnixMilli()
	ms -= ms % s.window // the first window is cut at the range's start
	if n, ok := rec.Value().(int64); ok && rec.Result() == "count" {
		s.at(ms).Count += n
		return
	}
	x, ok := rec.Value().(float64)
	if !ok {
		return
	}
	p := s.at(ms)
	switch rec.Result() {
	case "sum":
		p.sum += x
	case "min":
		if !p.min || x < p.Min {
			p.Min, p.min = x, true
		}
	case "max":
		if !p.max || x > p.Max {
			p.Max, p.max = x, true
		}
	case "last":
		if rec.Time().After(p.lastTime) {
			p.Last, p.lastTime = x, rec.Time()
		}
	}
}

// sorted leaves out windows that hold no number.
func (s *series) sorted() []ingest.Point {
	var out []ingest.Point
	for _, p := range s.points {
		if p.Count > 0 {
			p.Mean = p.sum / float64(p.Count)
			out = append(out, p.Point)
		}
	}
	slices.SortFunc(out, func(a, b ingest.Point) int { return a.Time.Compare(b.Time) })
	return out
}
