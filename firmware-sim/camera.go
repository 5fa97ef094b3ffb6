package firmwaresim

import (
	"math/rand/v2"
	"time"
)

// violationsPerDay is the order of magnitude of a lit crossing in a provincial town.
const violationsPerDay = 4.0

// camera counts vehicles a minute: a morning and an evening peak, a small
// noon one, and a road that slows down as it fills.
type camera struct {
	busy  float64 // vehicles a minute at the height of the peak
	free  float64 // km/h on an empty road
	stray wander
	last  time.Time
}

func newCamera(r *rand.Rand) *camera {
	return &camera{
		busy:  18 + 40*r.Float64(),
		free:  42 + 22*r.Float64(),
		stray: wander{spread: 0.12, memory: 12 * time.Minute},
	}
}

func (c *camera) sample(now time.Time, r *rand.Rand) sample {
	h := hour(now)
	load := 0.05 + 0.35*bump(h, 13, 4.5) + 0.75*bump(h, 7, 0.9) + 0.35*bump(h, 11.3, 0.6) + 0.85*bump(h, 17.2, 1.1)
	load = clamp(load*(1+c.stray.next(now, r)), 0.01, 1.3)
	count := clamp(c.busy*load+r.NormFloat64()*2, 0, 400)
	occupancy := clamp(100*load*0.62+r.NormFloat64()*1.5, 0, 100)
	speed := clamp(c.free*(1-0.55*load*load)+r.NormFloat64()*2, 4, 90)

	s := sample{values: map[string]float64{
		"count": round(count, 0), "speed_kmh": round(speed, 1), "occupancy_pct": round(occupancy, 1),
	}}
	gap := time.Minute
	if !c.last.IsZero() {
		gap = now.Sub(c.last)
	}
	c.last = now
	if r.Float64() < violationsPerDay*gap.Hours()/24 {
		s.happened = append(s.happened, violation(r, speed))
	}
	return s
}

// violation carries no plate: a fixture must never name a real vehicle.
func violation(r *rand.Rand, flow float64) happening {
	vehicle := []string{"motorcycle", "motorcycle", "motorcycle", "car", "truck", "bus"}[r.IntN(6)]
	lane := 1 + r.IntN(3)
	if r.Float64() < 0.6 {
		return happening{"red_light", "minor", map[string]any{"vehicle": vehicle, "lane": lane, "after_red_s": round(0.4+3*r.Float64(), 1)}}
	}
	const limit = 60
	speed := round(max(flow, limit)+6+25*r.Float64(), 0)
	return happening{"speeding", "minor", map[string]any{"vehicle": vehicle, "lane": lane, "speed_kmh": speed, "limit_kmh": limit}}
}
