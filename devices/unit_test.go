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
		{2, "MV", "V", 2e6}, {2, "MPa", "kPa", 2000}, {1.5, "MW", "kW", 1500}, {5, "MG/L", "mg/l", 5}, {38.4, "UG/NM3", "µg/m³", 38.4}, {1, "M", "cm", 100},
		{27.5, "oC", "°C", 27.5}, {27.5, "℃", "°C", 27.5}, {27.5, "Cel", "°C", 27.5}, {27.5, "degC", "°C", 27.5}, {80, "/100", "%", 80}, {7.1, "pH", "", 7.1},
		{60, "l/phút", "l/s", 1}, {500, "µS/cm", "S/m", 0.05}, {2, "kWh", "MJ", 7.2}, {38.4, "µg/Nm³", "µg/m³", 38.4}, {120, "mg/Nm3", "mg/Nm³", 120}, {50, "Pt/Co", "Pt-Co", 50}, {50, "Pt - Co", "Pt-Co", 50}, {7.1, "-", "pH", 7.1}, {1200, "Nm3/h", "m³/h", 1200}, {0.03, "m/h", "mm/h", 30},
	} {
		if got, err := Convert(c.x, c.from, c.to); err != nil || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%g %s in %s is %g %v, want %g", c.x, c.from, c.to, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"ppm", "µg/m³"}, {"m", "°C"}, {"furlong", "m"}, {"kg", ""}, {"mV", "MPa"}, {"pH", "m"}, {"mg/L", "pH"}, {"mg/L", "mg/Nm³"}, {"MC", "°C"}} {
		if got, err := Convert(1, c[0], c[1]); err == nil {
			t.Errorf("1 %s in %s is %g", c[0], c[1], got)
		}
	}
}

func TestConvertHasNoInfinity(t *testing.T) {
	if x, err := Convert(1e308, "km", "mm"); err == nil {
		t.Errorf("1e308 km in mm is %g", x)
	}
}

// FuzzConvert: there and back gives the same number, within what float64 holds.
func FuzzConvert(f *testing.F) {
	f.Add(38.4, "ug/Nm3", "mg/m3")
	f.Add(100.0, "°F", "K")
	f.Add(7.0, "-", "")
	f.Add(2.0, "MV", "mV")
	f.Add(-1e308, "km", "mm")
	f.Fuzz(func(t *testing.T, x float64, from, to string) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		y, err := Convert(x, from, to)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if math.IsNaN(y) || math.IsInf(y, 0) {
			t.Fatalf("%g %q in %q is %g", x, from, to, y)
		}
		back, err := Convert(y, to, from)
		if err == nil && math.Abs(x) > 1e-6 && math.Abs(back-x) > 1e-6*(math.Abs(x)+1000) {
			t.Fatalf("%g %q is %g %q, and back %g", x, from, y, to, back)
		}
	})
}
