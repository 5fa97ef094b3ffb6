package engine

import (
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/ingest"
)

// sample is what one reading says to one rule.
type sample struct {
	at     time.Time
	raises bool
	clears bool
	number float64
	where  *devices.Position
}

// observe makes a sample of a reading; false when the rule cannot use it: the
// metric or position is missing, or the value's quality is not good.
func observe(rule *rules.Rule, r *ingest.Reading) (sample, bool) {
	s := sample{at: r.EventTime(), where: r.Position}
	if rule.Kind == rules.Geofence {
		if r.Position == nil || r.TimeSuspect {
			return s, false
		}
		inside := planar.RingContains(rule.Ring(), orb.Point{r.Position.Lon, r.Position.Lat})
		s.raises = inside == (rule.On == "enter")
		s.clears = !s.raises
		return s, true
	}
	v, ok := r.Value(rule.Metric)
	if !ok || v.Quality != ingest.Good {
		return s, false
	}
	s.number, s.raises, s.clears = v.Number, rule.Raises(v.Number), rule.Clears(v.Number)
	return s, true
}

// course is a condition's way through time at one device, apart from whether
// its alert is open. Judging live and judging the past again take the same
// steps.
type course struct {
	// Armed is false until a fence has seen the device on the other side: a
	// first fix inside did not enter.
	Armed bool `json:"armed,omitempty"`
	// Pending is since when the limit is crossed, before `for` has passed.
	Pending time.Time `json:"pending,omitzero"`
}

// edge is what a step leads to.
type edge int

const (
	nothing edge = iota
	raised
	cleared
)

// step takes the next sample in order of time; open says whether the alert is
// open. since is when the condition that raised began.
func (c *course) step(rule *rules.Rule, s sample, open bool) (e edge, since time.Time) {
	if !s.raises {
		c.Armed, c.Pending = true, time.Time{}
		if open && s.clears {
			return cleared, s.at
		}
		return nothing, time.Time{}
	}
	if open || rule.Kind == rules.Geofence && !c.Armed {
		return nothing, time.Time{}
	}
	if c.Pending.IsZero() {
		c.Pending = s.at
	}
	if s.at.Sub(c.Pending) < rule.For {
		return nothing, time.Time{}
	}
	since, c.Pending = c.Pending, time.Time{}
	return raised, since
}
