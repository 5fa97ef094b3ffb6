package firmwaresim

import (
	"math/rand/v2"
	"time"
)

// airStation measures the parameters of VN_AQI, all gases in µg/m³: traffic
// lifts dust and NO₂ morning and evening, the sun makes ozone by afternoon.
type airStation struct {
	dirt                 float64 // how polluted the place is; 1 is ordinary
	dust, gas, sun, heat wander
}

func newAirStation(r *rand.Rand) *airStation {
	return &airStation{
		dirt: 0.6 + 0.9*r.Float64(),
		dust: wander{spread: 0.22, memory: 3 * time.Hour},
		gas:  wander{spread: 0.15, memory: 2 * time.Hour},
		sun:  wander{spread: 0.12, memory: 4 * time.Hour},
		heat: wander{spread: 1.2, memory: 8 * time.Hour},
	}
}

func (a *airStation) sample(now time.Time, r *rand.Rand) sample {
	h := hour(now)
	traffic := 0.55*bump(h, 7.5, 1.6) + 0.6*bump(h, 18, 1.9)
	light := bump(h, 13.5, 2.6)
	dust := max(a.dirt*(0.7+traffic)*(1+a.dust.next(now, r)), 0.1)
	gas := max(a.dirt*(0.6+traffic)*(1+a.gas.next(now, r)), 0.1)
	ozone := max((0.35+light)*(1+a.sun.next(now, r)), 0.05)
	temp := 24 + 6*light - 2*bump(h, 4.5, 3) + a.heat.next(now, r)
	near := func(v float64) float64 { return max(0, v*(1+0.02*r.NormFloat64())) }
	return sample{values: map[string]float64{
		"pm25":     round(near(28*dust), 1),
		"pm10":     round(near(47*dust), 1),
		"o3":       round(near(62*ozone), 1),
		"no2":      round(near(24*gas), 1),
		"so2":      round(near(12*gas), 1),
		"co":       round(near(900*gas), 0),
		"temp":     round(temp+0.1*r.NormFloat64(), 1),
		"humidity": round(clamp(88-2.4*(temp-22)+r.NormFloat64(), 30, 100), 1),
	}}
}
