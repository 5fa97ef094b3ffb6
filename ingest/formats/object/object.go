// Package object reads JSON objects of foreign formats: strictly, within
// bounds, with errors that name the place. Decoders share it.
package object

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"haidang/devices"
	"haidang/ingest"
)

// Bounds of what one item may hold.
const (
	MaxDepth  = 32
	MaxValues = 256
	MaxItems  = 5000
)

// Refuse makes the refusal of a decoder.
func Refuse(code, format string, args ...any) *ingest.Refusal {
	return &ingest.Refusal{Stage: ingest.StageDecode, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Parse reads one JSON value: objects as map[string]any, numbers as float64.
// Duplicate keys, invalid UTF-8 and anything after the value are refused.
func Parse(payload []byte) (any, *ingest.Refusal) {
	if r := depth(payload); r != nil {
		return nil, r
	}
	var v any
	if err := json.Unmarshal(payload, &v); err != nil {
		if len(strings.TrimSpace(string(payload[:min(len(payload), 64)]))) == 0 {
			return nil, Refuse("payload_empty", "the payload is empty")
		}
		if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			return nil, Refuse("json_invalid", "this is not valid JSON: %s at byte %d", strings.TrimPrefix(s.Err.Error(), "jsontext: "), s.ByteOffset)
		}
		return nil, Refuse("json_invalid", "this is not JSON that can be read: numbers must fit 64 bits")
	}
	return v, nil
}

// depth refuses hostile nesting before anything is built from it.
func depth(b []byte) *ingest.Refusal {
	n, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if n++; n > MaxDepth {
				return Refuse("json_too_deep", "the JSON is nested more than %d deep, at byte %d", MaxDepth, i)
			}
		case c == '}' || c == ']':
			n--
		}
	}
	return nil
}

// Object is v as an object, or a refusal that says what it is instead.
func Object(v any, what string) (map[string]any, *ingest.Refusal) {
	o, ok := v.(map[string]any)
	if !ok {
		return nil, Refuse("type_wrong", "%s must be an object, not %s", what, Kind(v))
	}
	return o, nil
}

// Kind names what a JSON value is, for people.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "null or missing"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case float64:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

// Get walks down objects by key; nil when there is nothing.
func Get(v any, path ...string) any {
	for _, key := range path {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[key]
	}
	return v
}

// String is the text at a path; empty when there is none.
func String(v any, path ...string) string {
	s, _ := Get(v, path...).(string)
	return s
}

// Number is the finite number at a path.
func Number(v any, path ...string) (float64, bool) {
	x, ok := Get(v, path...).(float64)
	return x, ok && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// Time is the RFC 3339 time at a path; the zero time when nothing is there.
func Time(v any, path ...string) (time.Time, *ingest.Refusal) {
	switch s := Get(v, path...).(type) {
	case nil:
		return time.Time{}, nil
	case string:
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return time.Time{}, Refuse("ts_invalid", "%s %.40q is not a time such as 2026-11-22T08:00:00Z", strings.Join(path, "."), s)
		}
		return at.UTC().Truncate(time.Millisecond), nil
	default:
		return time.Time{}, Refuse("type_wrong", "%s must be a time as text, not %s", strings.Join(path, "."), Kind(s))
	}
}

// Millis reads milliseconds since 1970.
func Millis(x float64) (time.Time, *ingest.Refusal) {
	if math.IsNaN(x) || math.Abs(x) > 1e15 {
		return time.Time{}, Refuse("ts_invalid", "%g is not a time in milliseconds since 1970", x)
	}
	return time.UnixMilli(int64(x)).UTC(), nil
}

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

// DeviceID brings a sender's own name into the form of a device id: what may
// not stand there becomes "-".
func DeviceID(prefix, name string) (devices.ID, *ingest.Refusal) {
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, strings.TrimSpace(name))
	id, err := devices.ParseID(prefix + strings.TrimLeft(clean, "-_"))
	if err != nil || strings.Trim(clean, "-_") == "" {
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
