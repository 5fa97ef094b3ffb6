package latest

import (
	"math"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
)

// maxOutages bounds what waits while it cannot be kept; the oldest go.
const maxOutages = 200_000

// unrelated is the declared interval of what says nothing of a rhythm.
const unrelated = math.MaxInt64

// heard notes that a device spoke at at: a silence that this ends, and the
// rhythm. It returns the declared interval where the time since the device was
// last heard says something; t.mu is held.
func (t *Tracker) heard(id devices.ID, s *State, at time.Time) (declared time.Duration) {
	old := s.LastSeen
	s.LastSeen = later(old, at)
	if s.Since.IsZero() { // the first word, or the first since this is noted
		s.Since = at
	}
	gap := at.Sub(old)
	if old.IsZero() || gap < time.Second || t.Expect == nil {
		return 0
	}
	e := t.Expect(id)
	interval, _ := e.Effective(&s.Rhythm)
	if o, silent := health.Silence(id, old, at, interval); silent {
		t.ended(o)
		s.Since = at
	}
	s.Rhythm.Take(gap, e.Interval)
	return e.Interval
}

// tellSpoke tells who listens which devices spoke.
func (t *Tracker) tellSpoke(es []ingest.Entry) {
	if t.Spoke == nil {
		return
	}
	for i := range es {
		if r := es[i].Reading; r != nil {
			t.Spoke(r.Device)
		} else if ev := es[i].Event; ev.Connection() != "offline" {
			t.Spoke(ev.Device)
		}
	}
}

// cameBack notes the end of the absence of a device that only its connection
// can tell of.
func (t *Tracker) cameBack(id devices.ID, s *State, at time.Time) {
	if s.Connection == "offline" && t.Expect != nil && t.Expect(id).Contract == devices.Event {
		t.ended(health.Outage{Device: id, SeenAt: s.ConnectionAt, DueAt: s.ConnectionAt, BackAt: at})
		s.Since = at
	}
}

func (t *Tracker) ended(o health.Outage) {
	if len(t.outages) >= maxOutages {
		t.outages = t.outages[len(t.outages)-maxOutages+1:]
	}
	t.outages = append(t.outages, o)
}

// Outages are the silences that ended and wait to be kept, oldest first. They
// are in the snapshot until Forget.
func (t *Tracker) Outages() []health.Outage {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return append([]health.Outage(nil), t.outages...)
}

// Forget drops the first n of Outages.
func (t *Tracker) Forget(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outages = t.outages[min(n, len(t.outages)):]
}

// Held is the interval within which a device should speak: as declared, or as it
// was seen to. 0 means that it is never late.
func (t *Tracker) Held(id devices.ID, e health.Expectation) (interval time.Duration, learned bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	interval, learned, _ = t.held(id, e)
	return interval, learned
}

// Freshness judges a device of which e was declared.
func (t *Tracker) Freshness(now time.Time, id devices.ID, e health.Expectation) devices.Freshness {
	t.mu.RLock()
	interval, _, last := t.held(id, e)
	t.mu.RUnlock()
	return devices.FreshnessAt(now, last, interval)
}

// held is what a device is held to and when it last spoke; t.mu is held. Lists
// ask it a hundred thousand times.
func (t *Tracker) held(id devices.ID, e health.Expectation) (interval time.Duration, learned bool, last time.Time) {
	s, ok := t.states[id]
	if !ok {
		s = &unheard
	}
	interval, learned = e.Effective(&s.Rhythm)
	return interval, learned, s.LastSeen
}
