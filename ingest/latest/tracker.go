// Package latest knows the newest that each device said: a journal reader that
// keeps its state in memory and a snapshot file, from which it goes on.
package latest

import (
	"context"
	"errors"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
)

// tailMax is how many past positions are kept of a moving device.
const tailMax = 12

// State is what is known of one device now. It is a copy; callers may keep it.
type State struct {
	// LastSeen is when anything last arrived from the device.
	LastSeen time.Time
	// Since is since when it has spoken without a silence between, Rhythm how
	// often it does.
	Since  time.Time
	Rhythm health.Rhythm
	// LastFix is the newest reading by fix time; shared, not to be changed.
	LastFix *ingest.Reading
	// Values has the newest of each metric by fix time.
	Values map[string]LatestValue
	// Connection is "online", "offline" or "unknown": what the device, or its
	// last will, said.
	Connection   string
	ConnectionAt time.Time
	// Position is the newest reported one, for devices that move.
	Position   *devices.Position
	PositionAt time.Time
	Tail       []TrackPoint
	Trust      Trust
}

// LatestValue is the newest value of one metric.
type LatestValue struct {
	Number     float64
	Quality    ingest.Quality
	FixTime    time.Time
	ReceivedAt time.Time
	Rhythm     health.Rhythm // of its arrivals
}

// TrackPoint is one past position.
type TrackPoint struct {
	Lat, Lon float64
	Time     time.Time
}

// Journal is what a tracker reads.
type Journal interface {
	Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error
	// Newest gives each device's last readings, and where the log goes on.
	Newest(ctx context.Context, fn func([]ingest.Entry)) (ingest.Pos, error)
}

// Tracker holds every device's State.
type Tracker struct {
	// Expect is what was declared of how a device speaks; set it before Run. It
	// must not ask the tracker. Nil: nothing is known.
	Expect func(devices.ID) health.Expectation
	// Spoke is told each time that a device spoke; set it before Run. May be nil.
	Spoke func(devices.ID)

	mu      sync.RWMutex
	states  map[devices.ID]*State
	pos     ingest.Pos
	watches map[*Watch]struct{}
	delays  delays
	total   int64
	rate    rates
	outages []health.Outage // that ended and wait to be kept
}

// New returns an empty tracker.
func New() *Tracker {
	return &Tracker{states: map[devices.ID]*State{}, watches: map[*Watch]struct{}{}}
}

// Run follows the journal until ctx ends. Without a snapshot, and after the
// log was cut, it begins with what the journal knows of each device.
func (t *Tracker) Run(ctx context.Context, j Journal) error {
	take := func(_ context.Context, es []ingest.Entry) error {
		t.apply(es, time.Now())
		return nil
	}
	for {
		t.mu.RLock()
		pos := t.pos
		t.mu.RUnlock()
		err := j.Follow(ctx, pos, 5000, take)
		if !errors.Is(err, ingest.ErrCut) {
			return err
		}
		if pos, err = j.Newest(ctx, t.learn); err != nil {
			return err
		}
		t.mu.Lock()
		t.pos = pos
		t.mu.Unlock()
	}
}

// learn takes what the journal knew before this program began.
func (t *Tracker) learn(es []ingest.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range es {
		s := t.state(es[i].Reading.Device)
		s.LastSeen = later(s.LastSeen, es[i].Reading.ReceivedAt) // what lies between is not among these
		s.Since = s.LastSeen
		s.take(es[i].Reading, unrelated)
	}
}

// Pos is how far in the journal the tracker has come.
func (t *Tracker) Pos() ingest.Pos {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.pos
}

func (t *Tracker) apply(es []ingest.Entry, now time.Time) {
	t.mu.Lock()
	changed := make([]devices.ID, 0, len(es))
	for i := range es {
		r := es[i].Reading
		if ev := es[i].Event; ev != nil {
			if t.takeEvent(ev) {
				changed = append(changed, ev.Device)
			}
			continue
		}
		s := t.state(r.Device)
		s.take(r, t.heard(r.Device, s, r.ReceivedAt))
		changed = append(changed, r.Device)
		if r.Lateness == ingest.LiveNow && !r.TimeAssumed && !r.TimeSuspect {
			t.delays.add(now.Sub(r.FixTime))
		}
	}
	t.pos = es[len(es)-1].Pos
	t.total += int64(len(es))
	t.rate.add(now, len(es))
	watches := make([]*Watch, 0, len(t.watches))
	for w := range t.watches {
		watches = append(watches, w)
	}
	t.mu.Unlock()
	for _, w := range watches {
		w.mark(changed)
	}
	t.tellSpoke(es)
}

func (t *Tracker) state(id devices.ID) *State {
	s := t.states[id]
	if s == nil {
		s = &State{Values: map[string]LatestValue{}, Connection: "unknown", Trust: Trust{LastSeq: ingest.NoSeq}}
		t.states[id] = s
	}
	return s
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// EventTime is where the value belongs in order of time; see
// ingest.Reading.EventTime.
func (v LatestValue) EventTime() time.Time {
	r := ingest.Reading{FixTime: v.FixTime, ReceivedAt: v.ReceivedAt}
	return r.EventTime()
}

// takeEvent applies an event and says whether it changed what is shown. That a
// device went is said by its broker: it was not seen then.
func (t *Tracker) takeEvent(ev *ingest.Event) bool {
	s, state := t.state(ev.Device), ev.Connection()
	if state != "offline" {
		t.heard(ev.Device, s, ev.ReceivedAt)
	}
	if state == "" || ev.ReceivedAt.Before(s.ConnectionAt) || state == s.Connection {
		return false
	}
	if state == "online" {
		t.cameBack(ev.Device, s, ev.ReceivedAt)
	}
	s.Connection, s.ConnectionAt = state, ev.ReceivedAt
	return true
}

// take applies a reading of a device that should speak every declared. An older
// one never overwrites a newer value.
func (s *State) take(r *ingest.Reading, declared time.Duration) {
	s.Trust.takeSeq(r.Seq, r.ReceivedAt)
	s.Trust.takeClock(r)
	at := r.EventTime()
	if s.LastFix == nil || !at.Before(s.LastFix.EventTime()) {
		s.LastFix = r
	}
	for _, v := range r.Values {
		if old, ok := s.Values[v.Metric]; !ok || !at.Before(old.EventTime()) {
			if ok {
				old.Rhythm.Take(r.ReceivedAt.Sub(old.ReceivedAt), declared)
			}
			s.Values[v.Metric] = LatestValue{v.Number, v.Quality, r.FixTime, r.ReceivedAt, old.Rhythm}
		}
	}
	if r.Position == nil || at.Before(s.PositionAt) || r.TimeSuspect {
		return
	}
	if s.Position != nil && *s.Position != *r.Position {
		// A new array each time: the old one may be held by readers.
		tail := append(make([]TrackPoint, 0, tailMax), s.Tail[max(0, len(s.Tail)-tailMax+1):]...)
		s.Tail = append(tail, TrackPoint{s.Position.Lat, s.Position.Lon, s.PositionAt})
	}
	s.Position, s.PositionAt = r.Position, at
}

// Get returns what is known of a device; false when it never spoke.
func (t *Tracker) Get(id devices.ID) (State, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, ok := t.states[id]
	if !ok {
		return State{}, false
	}
	c := *s
	c.Values = make(map[string]LatestValue, len(s.Values))
	for k, v := range s.Values {
		c.Values[k] = v
	}
	return c, true
}

// Look shows fn what is known of a device, without copying it: fn keeps
// nothing of it, changes nothing, and asks the tracker nothing. Of a device
// that never spoke it sees an empty state.
func (t *Tracker) Look(id devices.ID, fn func(*State)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, ok := t.states[id]
	if !ok {
		s = &unheard
	}
	fn(s)
}

// unheard is what is known of a device that never spoke.
var unheard State

// LastSeen is when a device last spoke; the zero time when it never did.
func (t *Tracker) LastSeen(id devices.ID) time.Time {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.states[id]; ok {
		return s.LastSeen
	}
	return time.Time{}
}

// Missing is how many of a device's sequence numbers did not come yet.
func (t *Tracker) Missing(id devices.ID) int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.states[id]; ok {
		return s.Trust.Missing
	}
	return 0
}

// Connection is what a device last said of itself: "online", "offline" or
// "unknown".
func (t *Tracker) Connection(id devices.ID) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if s, ok := t.states[id]; ok {
		return s.Connection
	}
	return "unknown"
}

// Heard notes that a device spoke, though it said nothing that is kept.
func (t *Tracker) Heard(id devices.ID, at time.Time) {
	t.mu.Lock()
	t.heard(id, t.state(id), at)
	t.mu.Unlock()
	if t.Spoke != nil {
		t.Spoke(id)
	}
}
