package rollup

import (
	"slices"
	"time"

	"haidang/ingest"
)

// tally makes the buckets of a device's hours from its readings, which come in
// order of time. Of several values of a metric for one time the newest received
// counts, good or not: a station sends a file again, an office revises a figure.
type tally struct {
	buckets map[tallyKey]*Bucket
	at      int64  // fix time of what was said last, in ms
	said    []said // of that time, by metric
}

type tallyKey struct {
	metric string
	hour   int64
}

// said is the newest value of a metric for one time.
type said struct {
	ingest.Value
	came int64
}

func newTally() *tally { return &tally{buckets: map[tallyKey]*Bucket{}} }

func (t *tally) add(r *ingest.Reading) {
	if ms := r.FixTime.UnixMilli(); ms != t.at {
		t.end()
		t.at = ms
	}
	came := r.ReceivedAt.UnixMilli()
	for _, v := range slices.Backward(r.Values) { // the first of a metric in a reading counts
		t.say(said{v, came})
	}
}

func (t *tally) say(x said) {
	for i := range t.said {
		if old := &t.said[i]; old.Metric == x.Metric {
			if x.came >= old.came {
				*old = x
			}
			return
		}
	}
	t.said = append(t.said, x)
}

// end counts what was said of the last time.
func (t *tally) end() {
	hour := hourOf(time.UnixMilli(t.at))
	for i := range t.said {
		v := &t.said[i]
		k := tallyKey{v.Metric, hour}
		b := t.buckets[k]
		if b == nil { // also of an hour whose values were all withdrawn
			b = &Bucket{Start: hourStart(hour)}
			t.buckets[k] = b
		}
		if v.Quality == ingest.Good {
			b.add(v.Number)
		}
	}
	t.said = t.said[:0]
}
