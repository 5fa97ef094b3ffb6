package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"haidang/ingest"
)

// Series implements ingest.History. Of each run only the metric's column is
// unpacked.
func (j *Journal) Series(ctx context.Context, q ingest.SeriesQuery) ([]ingest.Point, error) {
	from, to := q.From.UnixMilli(), q.To.UnixMilli()
	w := windows{size: q.Window.Milliseconds()}
	err := j.days(ctx, q.Device, kindReading, from, to, func(s *shelf, rs []run, fresh []ingest.Entry) (bool, error) {
		samples, err := daySamples(s, rs, fresh, q.Metric)
		if err != nil {
			return false, err
		}
		for _, x := range samples {
			if x.ts >= from && x.ts < to {
				w.add(x.ts, x.number)
			}
		}
		return true, nil
	})
	return w.points, err
}

// windows gathers samples, which come in order of time.
type windows struct {
	size   int64 // ms; 0: each sample is a point
	points []ingest.Point
	end    int64 // of the last window
}

func (w *windows) add(ts int64, x float64) {
	if w.size == 0 || len(w.points) == 0 || ts >= w.end {
		at := ts
		if w.size > 0 {
			at -= ts % w.size
			w.end = at + w.size
		}
		w.points = append(w.points, ingest.Point{Time: milli(at), Min: x, Max: x})
	}
	p := &w.points[len(w.points)-1]
	p.Count++
	p.Mean += (x - p.Mean) / float64(p.Count)
	p.Min, p.Max, p.Last = min(p.Min, x), max(p.Max, x), x
}

// sample is one good value.
type sample struct {
	ts     int64
	number float64
}

// said is one value, good or not, and when it came: of what is said of one time
// the newest counts.
type said struct {
	sample
	good bool
	came int64
}

// daySamples returns a metric's good values of a day, in order. Where runs
// overlap in time, and entries may be there twice, they are read as a whole.
func daySamples(s *shelf, rs []run, fresh []ingest.Entry, metric string) ([]sample, error) {
	var all []sample
	if apart(rs, fresh) {
		key := uint64(0)
		if s != nil {
			key = uint64(s.metrics.key(metric))
		}
		for i := range rs {
			if key == 0 {
				break
			}
			part, twice, err := runSamples(rs[i].body, key)
			if err != nil {
				return nil, fmt.Errorf("run %d in %s: %w", rs[i].id, s.path, err)
			}
			if twice {
				es, err := s.decode("", &rs[i])
				if err != nil {
					return nil, err
				}
				part = entrySamples(es, metric)
			}
			all = append(all, part...)
		}
		return append(all, entrySamples(fresh, metric)...), nil
	}
	es := slices.Clone(fresh)
	for i := range rs {
		part, err := s.decode("", &rs[i])
		if err != nil {
			return nil, err
		}
		es = append(es, part...)
	}
	return entrySamples(inOrder(es), metric), nil
}

// apart says whether runs, which are in order of their beginning, and fresh
// entries follow one another.
func apart(rs []run, fresh []ingest.Entry) bool {
	for i := 1; i < len(rs); i++ {
		if rs[i].first <= rs[i-1].last {
			return false
		}
	}
	return len(rs) == 0 || len(fresh) == 0 || fixTime(&fresh[0]).UnixMilli() > rs[len(rs)-1].last
}

func entrySamples(es []ingest.Entry, metric string) (ss []sample) {
	var last said
	keep := func() {
		if last.good {
			ss = append(ss, last.sample)
		}
	}
	for i := range es {
		r := es[i].Reading
		v, ok := r.Value(metric)
		if !ok {
			continue
		}
		x := said{sample{r.FixTime.UnixMilli(), v.Number}, v.Quality == ingest.Good, r.ReceivedAt.UnixMilli()}
		if x.ts != last.ts {
			keep()
		} else if x.came < last.came {
			continue
		}
		last = x
	}
	keep()
	return ss
}

// runSamples reads the good values of one column. twice says that a time has
// several, of which the newest counts: the column does not tell which that is.
func runSamples(body []byte, metric uint64) (ss []sample, twice bool, err error) {
	r, err := newRunReader(body)
	if err != nil {
		return nil, false, err
	}
	ts, err := r.times()
	if err != nil {
		return nil, false, err
	}
	r.skip(headColumns)
	done := make([]bool, 0)
	for range r.count() {
		c, err := r.nextColumn()
		if err != nil {
			return nil, false, err
		}
		if c.metric != metric {
			continue
		}
		xs, err := unnumbers(c.numbers, c.n)
		if err != nil {
			return nil, false, err
		}
		if len(done) == 0 { // the first of a metric in a reading counts
			done = make([]bool, r.n)
			ss = make([]sample, 0, c.n)
		}
		k := 0
		for i := range r.n {
			if !c.in(i) {
				continue
			}
			if (c.quality == nil || c.quality[k] == 0) && !done[i] {
				ss = append(ss, sample{ts[i], xs[k]})
			}
			done[i] = true
			k++
		}
	}
	before := -1
	for i := range done {
		if done[i] {
			twice = twice || before >= 0 && ts[before] == ts[i]
			before = i
		}
	}
	return ss, twice, r.err
}

func sortTimes(ts []time.Time) []time.Time {
	slices.SortFunc(ts, func(a, b time.Time) int { return cmp.Compare(a.Unix(), b.Unix()) })
	return ts
}
