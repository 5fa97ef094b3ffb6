package firmwaresim

import (
	"math"
	"math/rand/v2"
	"time"
)

// model is what a device measures. It is asked in order of virtual time and
// draws chance only from r, so the same seed gives the same measurements.
type model interface {
	sample(now time.Time, r *rand.Rand) sample
}

type sample struct {
	values   map[string]float64
	at       *position // of mobile devices
	happened []happening
}

type happening struct {
	kind, severity string
	data           map[string]any
}

// local is the wall clock of the province; Việt Nam has no summer time.
var local = time.FixedZone("+07", 7*3600)

func hour(t time.Time) float64 {
	t = t.In(local)
	return float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
}

// bump is a bell over the hours of the day, 1 at its centre, round midnight too.
func bump(h, centre, width float64) float64 {
	d := math.Abs(h - centre)
	d = min(d, 24-d)
	return math.Exp(-d * d / (2 * width * width))
}

// wander is a value that strays and is drawn back, so that consecutive
// readings resemble each other as real ones do.
type wander struct {
	value, spread float64
	memory        time.Duration // how long it takes to forget
	last          time.Time
}

func (w *wander) next(now time.Time, r *rand.Rand) float64 {
	keep := 0.0
	if !w.last.IsZero() {
		keep = math.Exp(-now.Sub(w.last).Seconds() / w.memory.Seconds())
	}
	w.last = now
	w.value = keep*w.value + math.Sqrt(1-keep*keep)*w.spread*r.NormFloat64()
	return w.value
}

func newModel(d Device, start time.Time, r *rand.Rand) model {
	switch d.Type {
	case TypeAirStation:
		return newAirStation(r)
	case TypeWaterLevel:
		return newWaterLevel(r)
	case TypeTrafficCamera:
		return newCamera(r)
	default:
		return newVessel(position{d.Lat, d.Lon}, start, r)
	}
}
