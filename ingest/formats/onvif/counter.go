package onvif

import (
	"math"
	"sync"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

const (
	// maxCounters bounds what is remembered of all cameras, maxRules of one.
	maxCounters = 100_000
	maxRules    = 64
	// stretch is the least time that a rate is taken over once so much is known,
	// and twice that the most, unless events are further apart: a camera that
	// tells each vehicle would give a rate of two vehicles' distance else.
	stretch = time.Minute
	// least is what must be known before a rate is given at all.
	least = 5 * time.Second
	// anew is how far back a camera's clock must go to have been set, and its
	// counter to begin anew; what is less far back is late.
	anew = time.Hour
)

// counters remember each camera's counters, by rule.
type counters struct {
	mu      sync.Mutex
	cameras map[devices.ID]map[string]*counter
	n       int
}

// counter is one rule's running total.
type counter struct {
	from, middle, last point
	gap                time.Duration // between its last two events
	rate               float64       // a minute; NaN while it is unknown
}

type point struct {
	at    time.Time
	total float64
}

// values give a counter's running total and, as count, how many vehicles a
// minute its camera sees. A camera's flow is what all its rules count together,
// as in and out, or lanes, do: the type has one count for a camera, and who
// wants a rule alone has its total. Rules that count the same vehicle twice make
// it too high.
//
// Each rule's rate is that of its last minute or two, or since the event before
// when those are further apart. It is unknown, and count is left out, at the
// first event after a start or a reset, until five seconds are known; so it is
// while another rule of the camera is that far. A rule that said nothing for a
// minute, and for twice as long as between its last two events, counts nothing
// now. What comes again or late gives its total only.
func (c *counters) values(camera devices.ID, key, rule string, at time.Time, total float64) []ingest.Value {
	vals := []ingest.Value{{Metric: named("count_total", rule), Number: total}}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.of(camera, key)
	if !k.take(point{at, total}) {
		return vals
	}
	if flow := c.flow(camera, at); !math.IsNaN(flow) {
		vals = append(vals, ingest.Value{Metric: "count", Number: math.Round(flow*100) / 100, Derived: true})
	}
	return vals
}

// of finds a counter, or begins one. When there are too many all begin anew.
func (c *counters) of(camera devices.ID, key string) *counter {
	rules := c.cameras[camera]
	if k := rules[key]; k != nil {
		return k
	}
	if c.n >= maxCounters {
		clear(c.cameras)
		c.n = 0
	}
	if len(rules) >= maxRules {
		c.n -= len(rules)
		delete(c.cameras, camera)
	}
	if c.cameras[camera] == nil {
		c.cameras[camera] = map[string]*counter{}
	}
	k := &counter{}
	c.cameras[camera][key] = k
	c.n++
	return k
}

// take counts an event; false when it is not newer than the last one. A total
// that is lower than the last one was reset, nobody knows when.
func (k *counter) take(p point) bool {
	passed := p.at.Sub(k.last.at)
	if k.last.at.IsZero() || passed <= -anew || passed > 0 && p.total < k.last.total {
		*k = counter{from: p, middle: p, last: p, rate: math.NaN()}
		return true
	}
	if passed <= 0 {
		return false
	}
	k.last, k.gap = p, passed
	long := p.at.Sub(k.middle.at) >= stretch
	if long {
		k.from = k.middle
	}
	if d := p.at.Sub(k.from.at); d >= least {
		k.rate = (p.total - k.from.total) * 60 / d.Seconds()
	}
	if long {
		k.middle = p
	}
	return true
}

// flow is what a camera's counters count a minute; NaN while that is unknown.
func (c *counters) flow(camera devices.ID, at time.Time) (sum float64) {
	for _, k := range c.cameras[camera] {
		if at.Sub(k.last.at) <= max(stretch, 2*k.gap) {
			sum += k.rate
		}
	}
	return sum
}
