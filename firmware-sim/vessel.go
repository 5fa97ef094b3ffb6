package firmwaresim

import (
	"math"
	"math/rand/v2"
	"time"
)

// vessel goes out to a fishing ground, works there along slow legs for some
// days, comes home, lies in port, and goes again.
type vessel struct {
	port    position
	cruise  float64 // kn
	legs    []leg   // the present voyage; the first is the present leg
	battery wander
}

// leg is a straight run, or a stay when speed is 0.
type leg struct {
	from, to position
	start    time.Time
	length   time.Duration
}

func newVessel(port position, start time.Time, r *rand.Rand) *vessel {
	v := &vessel{port: port, cruise: 6.5 + 3*r.Float64(), battery: wander{spread: 0.25, memory: 6 * time.Hour}}
	// Most of a fleet is at sea at any time: begin somewhere in a voyage.
	v.voyage(start, r)
	length := v.legs[len(v.legs)-1].end().Sub(start)
	back := time.Duration(0.95 * r.Float64() * float64(length))
	for i := range v.legs {
		v.legs[i].start = v.legs[i].start.Add(-back)
	}
	return v
}

func (l leg) end() time.Time { return l.start.Add(l.length) }

// voyage plans: a rest in port, the way out, work on the ground, the way home.
func (v *vessel) voyage(start time.Time, r *rand.Rand) {
	v.legs = v.legs[:0]
	v.stay(start, v.port, time.Duration((4+14*r.Float64())*float64(time.Hour)))
	ground := v.ground(r)
	v.run(afloat(position{v.port.lat + 0.03, v.port.lon + 0.08}), v.cruise*0.7) // clear of the mouth
	v.run(ground, v.cruise)
	for range 10 + r.IntN(30) {
		angle, far := 2*math.Pi*r.Float64(), (2+5*r.Float64())*nauticalMile
		v.run(afloat(position{ground.lat + far*math.Cos(angle), ground.lon + far*math.Sin(angle)}), 1.8+2*r.Float64())
	}
	v.run(afloat(position{v.port.lat + 0.03, v.port.lon + 0.08}), v.cruise)
	v.run(v.port, v.cruise*0.6)
}

// ground is somewhere to seaward of the port, near or far.
func (v *vessel) ground(r *rand.Rand) position {
	for {
		lat := seaSouth + 0.1 + (seaNorth-seaSouth-0.2)*r.Float64()
		p := position{lat, shore(lat) + 0.2 + 1.6*r.Float64()}
		if p.lon < seaEast-0.15 && distance(v.port, p) < 95 {
			return p
		}
	}
}

func (v *vessel) stay(start time.Time, at position, length time.Duration) {
	v.legs = append(v.legs, leg{at, at, start, length})
}

func (v *vessel) run(to position, knots float64) {
	last := v.legs[len(v.legs)-1]
	hours := distance(last.to, to) / knots
	v.legs = append(v.legs, leg{last.to, to, last.end(), time.Duration(hours * float64(time.Hour))})
}

func (v *vessel) sample(now time.Time, r *rand.Rand) sample {
	for !now.Before(v.legs[0].end()) {
		if len(v.legs) == 1 {
			v.voyage(v.legs[0].end(), r)
			continue
		}
		v.legs = v.legs[1:]
	}
	at, speed, course := v.legs[0].where(now)
	volts := 12.6 + v.battery.next(now, r)
	if speed > 0 {
		volts += 0.9 // the alternator runs
		speed = max(0, speed+0.2*r.NormFloat64())
		at = afloat(position{at.lat + 0.0004*r.NormFloat64(), at.lon + 0.0004*r.NormFloat64()})
	}
	at = position{round(at.lat, 5), round(at.lon, 5)}
	return sample{at: &at, values: map[string]float64{
		"speed_kn": round(speed, 1), "course_deg": math.Mod(round(course+r.NormFloat64(), 0)+360, 360), "battery_v": round(clamp(volts, 11, 14.6), 2),
	}}
}

// where gives the position, speed and course on the leg at a time.
func (l leg) where(now time.Time) (at position, knots, course float64) {
	far := distance(l.from, l.to)
	if far == 0 {
		return l.to, 0, 0
	}
	at = afloat(between(l.from, l.to, now.Sub(l.start).Seconds()/l.length.Seconds()))
	return at, far / l.length.Hours(), bearing(l.from, l.to)
}
