package ingest

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
)

// SourceID is a way by which data comes in: a format's name, or "native" for
// our own, and how it comes: "mqtt", "http", "file", "line".
type SourceID struct{ Name, Via string }

// SourceCount is what came by one way since the program began.
type SourceCount struct {
	SourceID
	Messages                                    int64
	Stored, Duplicates, Late, Backfill, Refused int64 // readings and events
	Last                                        time.Time
	// PerMinute is how many readings and events came in the last whole minute.
	PerMinute int64
	// LastHour is how many live ones were stored in the last whole minutes, at
	// most 60; Minutes is how many minutes those are.
	LastHour int64
	Minutes  int
	Devices  []devices.ID // that spoke by it within a week
}

// census counts by source. It is a Prometheus collector.
type census struct {
	mu      sync.Mutex
	began   time.Time
	sources map[SourceID]*tally
}

type tally struct {
	SourceCount
	devices map[devices.ID]int64 // the minute in which each last spoke
	minute  int64                // of what is counted now, since 1970
	came    [61]int64            // by minute: all that came
	live    [61]int64            // by minute: live ones that were stored
}

const (
	// maxCensus bounds how many devices are remembered by source.
	maxCensus = 200_000
	// rememberFor is for how many minutes a device that went silent is expected
	// of its source: a week, in which somebody should have looked.
	rememberFor = 7 * 24 * 60
)

func newCensus(expected []SourceID, now time.Time) *census {
	c := &census{began: now, sources: map[SourceID]*tally{}}
	for _, id := range expected {
		c.of(id)
	}
	return c
}

func (c *census) of(id SourceID) *tally {
	t := c.sources[id]
	if t == nil {
		t = &tally{SourceCount: SourceCount{SourceID: id}, devices: map[devices.ID]int64{}}
		c.sources[id] = t
	}
	return t
}

// take counts a batch that came to its end; parts of one message count it once.
func (c *census) take(batch []part, stored []bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var t *tally
	for _, b := range batch {
		id := SourceID{"native", b.w.Source}
		if b.w.Format != nil {
			id.Name = b.w.Format.Name
		}
		if t == nil || t.SourceID != id {
			t = c.of(id)
			t.roll(now)
		}
		if b.w.left == len(b.elements) && !b.w.isRest { // its last part
			t.Messages++
		}
		t.Last = now
		for i := range b.elements {
			e := &b.elements[i]
			if e.refusal != nil {
				t.Refused++
				continue
			}
			t.take(e, stored[0])
			stored = stored[1:]
		}
	}
}

func (t *tally) take(e *element, stored bool) {
	slot := t.minute % int64(len(t.came))
	t.came[slot]++
	if stored {
		t.Stored++
		switch e.lateness() {
		case LateArrival:
			t.Late++
		case Backfill:
			t.Backfill++
		default:
			t.live[slot]++
		}
	} else {
		t.Duplicates++
	}
	if heard, known := t.devices[e.id]; heard != t.minute && (known || len(t.devices) < maxCensus) {
		t.devices[e.id] = t.minute
	}
}

func (e *element) lateness() Lateness {
	switch {
	case e.reading != nil:
		return e.reading.Lateness
	case e.event != nil:
		return e.event.Lateness
	}
	return LiveNow
}

// roll begins the minute of now, and empties those between.
func (t *tally) roll(now time.Time) {
	m := now.Unix() / 60
	for k := max(t.minute+1, m-int64(len(t.came))+1); k <= m; k++ {
		t.came[k%int64(len(t.came))], t.live[k%int64(len(t.live))] = 0, 0
	}
	t.minute = max(t.minute, m)
}

func (c *census) counts(now time.Time) []SourceCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]SourceCount, 0, len(c.sources))
	for _, t := range c.sources {
		t.roll(now)
		s := t.SourceCount
		s.PerMinute = t.came[(t.minute-1)%int64(len(t.came))]
		s.Minutes = int(min(60, max(0, t.minute-c.began.Unix()/60-1)))
		for k := range int64(s.Minutes) {
			s.LastHour += t.live[(t.minute-1-k)%int64(len(t.live))]
		}
		s.Devices = make([]devices.ID, 0, len(t.devices))
		for id, heard := range t.devices {
			if t.minute-heard < rememberFor {
				s.Devices = append(s.Devices, id)
			}
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b SourceCount) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Via, b.Via))
	})
	return list
}

// Sources says what came by each way, by name: those that were configured, and
// those by which something came.
func (p *Pipeline) Sources(now time.Time) []SourceCount { return p.census.counts(now) }

var (
	sourceAge = prometheus.NewDesc("haidang_source_age_seconds", "How long ago anything came by a source; since the start when nothing did.", []string{"source", "via"}, nil)
	sourceIn  = prometheus.NewDesc("haidang_source_readings_total", "Readings and events by source and how they ended.", []string{"source", "via", "outcome"}, nil)
	sourceLag = prometheus.NewDesc("haidang_source_late_total", "Stored readings and events that were not live, by source.", []string{"source", "via", "lateness"}, nil)
)

// Describe implements prometheus.Collector.
func (c *census) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sourceAge, sourceIn, sourceLag} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *census) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, t := range c.sources {
		last := t.Last
		if last.IsZero() {
			last = c.began
		}
		ch <- prometheus.MustNewConstMetric(sourceAge, prometheus.GaugeValue, now.Sub(last).Seconds(), id.Name, id.Via)
		for outcome, n := range map[string]int64{"stored": t.Stored, "duplicate": t.Duplicates, "dead_letter": t.Refused} {
			ch <- prometheus.MustNewConstMetric(sourceIn, prometheus.CounterValue, float64(n), id.Name, id.Via, outcome)
		}
		for lateness, n := range map[string]int64{"late": t.Late, "backfill": t.Backfill} {
			ch <- prometheus.MustNewConstMetric(sourceLag, prometheus.CounterValue, float64(n), id.Name, id.Via, lateness)
		}
	}
}
