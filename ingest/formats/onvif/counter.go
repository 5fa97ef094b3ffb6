package onvif

import (
	"sync"
	"time"

	"haidang/ingest"
)

const maxCounters = 100_000

// counters remember each counter's last event.
type counters struct {
	mu   sync.Mutex
	last map[string]count
}

type count struct {
	at       time.Time
	total    float64
	passed   float64 // since the one before
	isPassed bool    // whether there was one before
}

// values give what passed since the last event, and the running total. A total
// that is lower than the last one was reset: all of it is new. An event that
// comes again says the same again, and one that is late only its total: what
// passed since the one before it is not known any more.
func (c *counters) values(key, rule string, at time.Time, total float64) []ingest.Value {
	vals := []ingest.Value{{Metric: named("count_total", rule), Number: total}}
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.last[key]
	now := count{at: at, total: total, isPassed: known}
	switch {
	case known && !at.IsZero() && at.Equal(last.at) && total == last.total:
		now = last
	case known && !at.IsZero() && !at.After(last.at):
		return vals
	case known && total >= last.total:
		now.passed = total - last.total
	case known:
		now.passed = total
	}
	if len(c.last) >= maxCounters && !known {
		clear(c.last)
	}
	c.last[key] = now
	if now.isPassed {
		vals = append(vals, ingest.Value{Metric: "count", Number: now.passed})
	}
	return vals
}
