package firmwaresim

import (
	"math"
	"math/rand/v2"
	"time"
)

// waterLevel is a river: a tide, a base level, and showers that raise it
// quickly and let it fall slowly.
type waterLevel struct {
	base, tide, phase float64
	flood             float64 // m above base, from rain
	shower            time.Time
	strength          float64 // mm an hour while it rains
	ripple            wander
	last              time.Time
}

func newWaterLevel(r *rand.Rand) *waterLevel {
	return &waterLevel{
		base: 0.3 + 1.1*r.Float64(), tide: 0.45 * r.Float64(), phase: 2 * math.Pi * r.Float64(),
		ripple: wander{spread: 0.02, memory: time.Hour},
	}
}

func (w *waterLevel) sample(now time.Time, r *rand.Rand) sample {
	gap := 10 * time.Minute
	if !w.last.IsZero() {
		gap = now.Sub(w.last)
	}
	w.last = now
	if now.After(w.shower) && r.Float64() < gap.Hours()/14 {
		w.shower = now.Add(time.Duration((0.5 + 3*r.Float64()) * float64(time.Hour)))
		w.strength = 2 + 22*r.Float64()*r.Float64()
	}
	rain := 0.0
	if now.Before(w.shower) {
		rain = max(0, w.strength*gap.Hours()*(1+0.4*r.NormFloat64()))
	}
	w.flood = w.flood*math.Exp(-gap.Hours()/9) + rain*0.012
	hours := float64(now.Unix()) / 3600
	level := w.base + w.flood + w.tide*math.Sin(2*math.Pi*hours/12.42+w.phase) + w.ripple.next(now, r)
	return sample{values: map[string]float64{"level_m": round(level, 2), "rain_mm": round(rain, 1)}}
}
