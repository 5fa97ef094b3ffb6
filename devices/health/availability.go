package health

import (
	"time"

	"haidang/devices"
)

// Availability is for how long a device could be relied on.
type Availability struct {
	// Counted is how much of the time we listened while the device was
	// registered; Lost how much of that it was silent, from when it should have
	// spoken.
	Counted, Lost time.Duration
}

// Share is between 0 and 1; ok is false when no time was counted.
func (a Availability) Share() (share float64, ok bool) {
	if a.Counted <= 0 {
		return 0, false
	}
	return 1 - min(1, a.Lost.Seconds()/a.Counted.Seconds()), true
}

// Add takes in another's time: of a group, the share is of all its time.
func (a *Availability) Add(b Availability) { a.Counted, a.Lost = a.Counted+b.Counted, a.Lost+b.Lost }

// Record is what availability within a window is made of.
type Record struct {
	Window Span
	// Listened is when we did, within the window.
	Listened []Span
	// Outages are those that ended in the window, by device.
	Outages map[devices.ID][]Outage
}

// listen adds a span that begins no earlier than those before.
func (r *Record) listen(s Span) {
	if n := len(r.Listened); n > 0 && !s.From.After(r.Listened[n-1].To) {
		if last := &r.Listened[n-1]; s.To.After(last.To) {
			last.To = s.To
		}
		return
	}
	r.Listened = append(r.Listened, s)
}

// Of is a device's availability since it was created. When it is silent now,
// due is when it should have spoken; else it is zero.
func (r *Record) Of(id devices.ID, created, due time.Time) (a Availability) {
	life := Span{created, r.Window.To}.within(r.Window)
	a.Counted = life.overlap(r.Listened)
	for _, o := range r.Outages[id] {
		a.Lost += Span{o.DueAt, o.BackAt}.within(life).overlap(r.Listened)
	}
	if !due.IsZero() {
		a.Lost += Span{due, r.Window.To}.within(life).overlap(r.Listened)
	}
	return a
}
