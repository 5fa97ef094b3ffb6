package devices

import (
	"fmt"
	"math"
	"strings"
)

// unit is a linear scale on one quantity: base = x × factor + offset.
type unit struct {
	quantity       string
	factor, offset float64
}

// units by their plain spelling (see plainUnit). Concentrations of gases in
// ppm or ppb are left out on purpose: to turn them into mass one must know the
// gas, its temperature and pressure.
var units = map[string]unit{
	"ug/m3": {"mass concentration", 1, 0}, "mg/m3": {"mass concentration", 1e3, 0}, "g/m3": {"mass concentration", 1e6, 0}, "ng/m3": {"mass concentration", 1e-3, 0},
	"mg/l": {"mass concentration in water", 1, 0}, "g/l": {"mass concentration in water", 1e3, 0}, "ug/l": {"mass concentration in water", 1e-3, 0},
	"m": {"length", 1, 0}, "cm": {"length", 1e-2, 0}, "mm": {"length", 1e-3, 0}, "km": {"length", 1e3, 0}, "ft": {"length", 0.3048, 0},
	"c": {"temperature", 1, 0}, "cel": {"temperature", 1, 0}, "k": {"temperature", 1, -273.15}, "f": {"temperature", 5.0 / 9, -32 * 5.0 / 9},
	"m/s": {"speed", 1, 0}, "km/h": {"speed", 1 / 3.6, 0}, "kn": {"speed", 1852.0 / 3600, 0}, "kt": {"speed", 1852.0 / 3600, 0}, "knot": {"speed", 1852.0 / 3600, 0}, "hảilý/h": {"speed", 1852.0 / 3600, 0},
	"%": {"share", 1, 0}, "%rh": {"share", 1, 0}, "/100": {"share", 1, 0}, "/": {"share", 100, 0}, "1": {"share", 100, 0},
	"pa": {"pressure", 1, 0}, "Mpa": {"pressure", 1e6, 0}, "hpa": {"pressure", 100, 0}, "mbar": {"pressure", 100, 0}, "kpa": {"pressure", 1e3, 0}, "bar": {"pressure", 1e5, 0}, "mmhg": {"pressure", 133.322387415, 0},
	"v": {"voltage", 1, 0}, "mv": {"voltage", 1e-3, 0}, "kv": {"voltage", 1e3, 0}, "Mv": {"voltage", 1e6, 0},
	"a": {"current", 1, 0}, "ma": {"current", 1e-3, 0},
	"w": {"power", 1, 0}, "mw": {"power", 1e-3, 0}, "kw": {"power", 1e3, 0}, "Mw": {"power", 1e6, 0},
	"j": {"energy", 1, 0}, "Mj": {"energy", 1e6, 0}, "wh": {"energy", 3600, 0}, "kwh": {"energy", 3.6e6, 0}, "Mwh": {"energy", 3.6e9, 0},
	"s/m": {"conductivity", 1, 0}, "ms/cm": {"conductivity", 0.1, 0}, "us/cm": {"conductivity", 1e-4, 0},
	"m3": {"volume", 1, 0}, "l": {"volume", 1e-3, 0},
	"mm/h": {"rain", 1, 0}, "m/h": {"rain", 1e3, 0},
	"m3/s": {"flow", 1, 0}, "l/s": {"flow", 1e-3, 0}, "l/min": {"flow", 1e-3 / 60, 0}, "l/h": {"flow", 1e-3 / 3600, 0}, "m3/min": {"flow", 1.0 / 60, 0}, "m3/h": {"flow", 1.0 / 3600, 0}, "m3/ngày": {"flow", 1.0 / 86400, 0}, "m3/day": {"flow", 1.0 / 86400, 0}, "m3/d": {"flow", 1.0 / 86400, 0},
	"deg": {"angle", 1, 0}, "rad": {"angle", 57.29577951308232, 0},
}

var plain = strings.NewReplacer("µ", "u", "μ", "u", "³", "3", "^", "", "°", "", "º", "", "℃", "c", "℉", "f", " ", "", "⁻", "-", "nm3", "m3", "nm³", "m3")

// spellings are ways to write a unit that are left beside its plain one; "oC"
// is what Vietnamese loggers write.
var spellings = map[string]string{"oc": "c", "of": "f", "degc": "c", "degf": "f", "celsius": "c", "độc": "c", "knots": "kn", "kts": "kn", "l/phút": "l/min", "percent": "%", "pt/co": "pt-co", "ptco": "pt-co", "co-pt": "pt-co", "mgpt/l": "pt-co", "tcu": "pt-co"}

// plainUnit brings the many spellings of a unit to one: ug/Nm3, µg/m³ and
// μg/m^3 are the same; a degree alone is an angle. Small and capital letters are
// the same but for the M of mega, which before V, W, Pa, J and Hz must not
// become milli.
func plainUnit(s string) string {
	s = strings.TrimSpace(s)
	if s == "°" || s == "º" {
		return "deg"
	}
	low := plain.Replace(strings.ToLower(s))
	if mega, ok := strings.CutPrefix(s, "M"); ok && len(mega) > 0 && strings.IndexByte("VWPJH", mega[0]) >= 0 {
		return "M" + low[1:]
	}
	if one, ok := spellings[low]; ok {
		return one
	}
	return low
}

// Convert turns x from one unit into another. An empty unit or "-" says
// nothing and is taken as the wanted one (Circular 10/2021 writes "-" for pH).
// It is an error when the units are of different quantities or not known.
//
// Normal cubic metres are taken as cubic metres: the Vietnamese limits for
// ambient air are themselves per normal cubic metre at 25 °C.
func Convert(x float64, from, to string) (float64, error) {
	a, b := plainUnit(from), plainUnit(to)
	if a == "" || a == "-" || a == b || a == "ph" && b == "" { // pH is a bare number
		return x, nil
	}
	ua, ok := units[a]
	if !ok {
		return 0, fmt.Errorf("the unit %.20q is not known; %s is wanted", from, wanted(to))
	}
	ub, ok := units[b]
	if !ok || ua.quantity != ub.quantity {
		return 0, fmt.Errorf("the unit %.20q cannot be turned into %s", from, wanted(to))
	}
	y := (x*ua.factor + ua.offset - ub.offset) / ub.factor
	if math.IsInf(y, 0) {
		return 0, fmt.Errorf("%g %.20s is too large a number in %s", x, from, wanted(to))
	}
	return y, nil
}

func wanted(unit string) string {
	if unit == "" {
		return "a bare number"
	}
	return unit
}
