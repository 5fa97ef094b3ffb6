package object

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"haidang/devices"
	"haidang/ingest"
)

// Flatten makes values of everything numeric in v: nested names are joined by
// "_", booleans are 0 and 1, text is left out. The order is that of the names,
// so that the same payload gives the same reading.
func Flatten(prefix string, v any) ([]ingest.Value, *ingest.Refusal) {
	var vals []ingest.Value
	r := flatten(prefix, v, &vals)
	return vals, r
}

func flatten(name string, v any, into *[]ingest.Value) *ingest.Refusal {
	var x float64
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if r := flatten(join(name, k), v[k], into); r != nil {
				return r
			}
		}
		return nil
	case []any:
		for i, e := range v {
			if r := flatten(join(name, strconv.Itoa(i)), e, into); r != nil {
				return r
			}
		}
		return nil
	case float64:
		x = v
	case bool:
		if v {
			x = 1
		}
	default:
		return nil
	}
	return Add(into, name, x)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "_" + b
}

// Add appends a value, within the bounds on names and numbers. A metric given
// twice is refused: which one is true cannot be known.
func Add(into *[]ingest.Value, metric string, x float64) *ingest.Refusal {
	if metric == "" || len(metric) > 64 || !utf8.ValidString(metric) || strings.ContainsFunc(metric, unicode.IsControl) {
		return Refuse("name_invalid", "%.80q is not a metric name: 1 to 64 bytes of text without control characters", metric)
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Refuse("number_out_of_range", "%s is no finite number", metric)
	}
	if len(*into) == MaxValues {
		return Refuse("values_too_many", "a reading may have at most %d values", MaxValues)
	}
	for _, v := range *into {
		if v.Metric == metric {
			return Refuse("metric_twice", "%s is given twice", metric)
		}
	}
	*into = append(*into, ingest.Value{Metric: metric, Number: x})
	return nil
}

// Decimal reads a number as text: digits with a decimal point, a sign and an
// exponent at most. What Go's own parser takes beyond that (0x1p3, Inf, NaN,
// 1_000) is no number that a sensor writes; a decimal comma is never guessed.
func Decimal(s string) (float64, bool) {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}

// DeviceID brings a sender's own name into the form of a device id: what may
// not stand there becomes "-". Control characters and bytes that are no text
// are refused: a name that was broken on its way would become another's.
func DeviceID(prefix, name string) (devices.ID, *ingest.Refusal) {
	name = strings.TrimSpace(name)
	broken := !utf8.ValidString(name) || strings.ContainsFunc(name, func(c rune) bool { return unicode.IsControl(c) || c == utf8.RuneError })
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, name)
	id, err := devices.ParseID(prefix + strings.TrimLeft(clean, "-_"))
	if broken || err != nil || strings.Trim(clean, "-_") == "" {
		return "", Refuse("device_id_invalid", "%.80q cannot be a device id: 1 to 64 letters, digits, '_' or '-'", name)
	}
	return id, nil
}

// Position is a pair, or nil when either is missing.
func Position(lat, lon float64, ok1, ok2 bool) *devices.Position {
	if !ok1 || !ok2 {
		return nil
	}
	return &devices.Position{Lat: lat, Lon: lon}
}

// One is the single item of a payload that is refused as a whole.
func One(r *ingest.Refusal) []ingest.Item { return []ingest.Item{{Refusal: r}} }
