// Package object reads JSON objects of foreign formats: strictly, within
// bounds, with errors that name the place. Decoders share it.
package object

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"haidang/ingest"
)

// Bounds of what one payload and one item may hold.
const (
	MaxDepth  = 32
	MaxValues = 256
	MaxItems  = 5000
	// maxJSON bounds what is built in memory from one payload: a value takes
	// many times the two bytes that it has in JSON at least.
	maxJSON = 500_000
)

// Refuse makes the refusal of a decoder.
func Refuse(code, format string, args ...any) *ingest.Refusal {
	return &ingest.Refusal{Stage: ingest.StageDecode, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Parse reads one JSON value: objects as map[string]any, numbers as float64.
// Duplicate keys, invalid UTF-8 and anything after the value are refused. A
// byte order mark, which Windows programs put first, is passed over.
func Parse(payload []byte) (any, *ingest.Refusal) {
	if r := Encoding(payload); r != nil {
		return nil, r
	}
	payload = bytes.TrimPrefix(payload, mark)
	if r := scan(payload); r != nil {
		return nil, r
	}
	var v any
	err := json.Unmarshal(payload, &v)
	if err == nil {
		return v, nil
	}
	if len(bytes.TrimSpace(payload)) == 0 {
		return nil, Refuse("payload_empty", "the payload is empty")
	}
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		return nil, Refuse("number_out_of_range", "the number after byte %d (%.80s) is too large", s.ByteOffset, s.JSONPointer)
	}
	return nil, ingest.BadJSON(err)
}

var mark = []byte("\xef\xbb\xbf")

// Encoding refuses what is not UTF-8 and says where it begins: names in an old
// code page would otherwise become other names.
func Encoding(b []byte) *ingest.Refusal {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return Refuse("encoding_wrong", "this is UTF-16, by its first two bytes; UTF-8 is wanted")
	}
	if at := bytes.IndexByte(b, 0); at >= 0 {
		return Refuse("encoding_wrong", "byte %d is NUL, which text does not have; in UTF-16 every other byte is", at)
	}
	if utf8.Valid(b) {
		return nil
	}
	at := 0
	for at < len(b) {
		if c, n := utf8.DecodeRune(b[at:]); c != utf8.RuneError || n > 1 {
			at += n
			continue
		}
		break
	}
	return Refuse("encoding_wrong", "this is not UTF-8, from byte %d on; text in an older code page must be converted", at)
}

// scan refuses hostile nesting and numbers of values before anything is built
// from them.
func scan(b []byte) *ingest.Refusal {
	depth, values, quoted := 0, 1, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			values++
			if depth++; depth > MaxDepth {
				return Refuse("json_too_deep", "the JSON is nested more than %d deep, at byte %d", MaxDepth, i)
			}
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if values > maxJSON {
			return Refuse("json_too_long", "the JSON has more than %d values, at byte %d", maxJSON, i)
		}
	}
	return nil
}

// Raw is v as JSON again: one element of a payload, for a dead letter of its
// own that can be replayed without the others.
func Raw(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil
	}
	return b
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

// Keys are an object's keys in order, so that what is said of it is always the
// same.
func Keys(o map[string]any) []string { return slices.Sorted(maps.Keys(o)) }

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
		if err != nil || at.IsZero() { // the zero time would count as none given
			return time.Time{}, Refuse("ts_invalid", "%s %.40q is not a time such as 2026-11-22T08:00:00Z", strings.Join(path, "."), s)
		}
		return at.UTC().Truncate(time.Millisecond), nil
	default:
		return time.Time{}, Refuse("type_wrong", "%s must be a time as text, not %s", strings.Join(path, "."), Kind(s))
	}
}

// maxMillis lies before the year 1, whose beginning would count as no time, and
// some 1,900 years after 1970: no clock is that wrong and still a clock.
const maxMillis = 6e13

// Millis reads milliseconds since 1970.
func Millis(x float64) (time.Time, *ingest.Refusal) {
	if !(math.Abs(x) < maxMillis) { // nor NaN
		return time.Time{}, Refuse("ts_invalid", "%g is not a time in milliseconds since 1970", x)
	}
	return time.UnixMilli(int64(x)).UTC(), nil
}
