package devices

import (
	"math"
	"testing"
)

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		x        float64
		from, to string
		want     float64
	}{
		{38.4, "ug/Nm3", "µg/m³", 38.4}, {38.4, "μg/m^3", "µg/m³", 38.4}, {0.05, "mg/m3", "µg/m³", 50}, {7, "-", "", 7}, {5, "", "m", 5},
		{100, "°F", "°C", 37.7777777778}, {300, "K", "°C", 26.85}, {10, "kn", "km/h", 18.52}, {36, "km/h", "hải lý/h", 19.438444924},
		{270, "cm", "m", 2.7}, {0.8, "/", "%", 80}, {1013.25, "hPa", "kPa", 101.325}, {86.4, "m3/ngày", "l/s", 1}, {3700, "mV", "V", 3.7},
	} {
		if got, err := Convert(c.x, c.from, c.to); err != nil || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%g %s in %s is %g %v, want %g", c.x, c.from, c.to, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"ppm", "µg/m³"}, {"m", "°C"}, {"furlong", "m"}, {"kg", ""}} {
		if got, err := Convert(1, c[0], c[1]); err == nil {
			t.Errorf("1 %s in %s is %g", c[0], c[1], got)
		}
	}
}
