package health

import (
	"time"

	"haidang/devices"
)

// Expectation is what was declared of how a device speaks.
type Expectation struct {
	// Interval is how often it should; 0: that is not known.
	Interval time.Duration
	// Contract of Event: it is not silent for want of data; only its connection
	// can tell that it is gone. An empty one is Periodic.
	Contract devices.Contract
}

// Expect is what the registry declares of how a device speaks. An interval of its
// own makes one of a type of events speak at intervals.
func Expect(types Types, d *devices.Device) Expectation {
	e := Expectation{Interval: d.Interval, Contract: devices.Periodic}
	if t, ok := types.Type(d.Type); ok {
		e.Interval = d.ExpectedInterval(t)
		if d.Interval == 0 {
			e.Contract = t.Contract
		}
	}
	return e
}

// Types is what Expect asks of the registry.
type Types interface {
	Type(devices.TypeID) (*devices.Type, bool)
}

// Traits are what the registry says of a device that its health goes by. An
// empty text means that it is not known.
type Traits struct {
	Expectation
	// Agency is responsible for it, Vendor delivered it. Network, Gateway and
	// Cohort are what it fails together with.
	Agency, Vendor, Network, Gateway, Cohort string
}

// TraitsOf are the traits that a device is registered with.
func TraitsOf(types Types, d *devices.Device) Traits {
	return Traits{Expectation: Expect(types, d), Agency: d.Agency, Vendor: d.Vendor, Network: d.Network, Gateway: string(d.Gateway), Cohort: d.Cohort}
}

// Effective is the interval that a device, or one of its metrics, with this
// rhythm is held to: the learned one, not below what was declared and not above
// eight times that. 0 means that nothing is ever late.
func (e Expectation) Effective(r *Rhythm) (interval time.Duration, learned bool) {
	if e.Contract == devices.Event {
		return 0, false
	}
	typical, ok := r.Typical()
	switch {
	case !ok || typical <= e.Interval:
		return e.Interval, false
	case e.Interval > 0:
		typical = min(typical, stretch*e.Interval)
	}
	return typical, true
}

// Dead is a device that was silent for so long that it will not come back by
// itself; see DeadAfter.
const Dead devices.Freshness = "dead"

// DeadAfter is from which age on a silent device is dead: 120 intervals, at
// least a day, at most the ten days after which vessels go on a list of their
// own (domain.md, section 3.3).
func DeadAfter(interval time.Duration) time.Duration {
	return min(max(120*interval, 24*time.Hour), 10*24*time.Hour)
}

// Judge says how a device does that last spoke at last and is held to interval.
func Judge(now, last time.Time, interval time.Duration) devices.Freshness {
	f := devices.FreshnessAt(now, last, interval)
	if f == devices.Silent && now.Sub(last) > DeadAfter(interval) {
		return Dead
	}
	return f
}

// JudgeConnection says how a device of the contract Event does, by what it or
// its last will said of its connection, at at.
func JudgeConnection(now time.Time, connection string, at time.Time, last time.Time) devices.Freshness {
	switch {
	case connection == "offline" && now.Sub(at) > DeadAfter(0):
		return Dead
	case connection == "offline":
		return devices.Silent
	case last.IsZero():
		return devices.Never
	}
	return devices.Live
}
