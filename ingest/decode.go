package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"haidang/devices"
)

// Bounds on what one message may hold. They are far above what devices send
// and keep one sender from using all memory.
const (
	MaxPayload  = 256 << 10
	maxElements = 5000
	maxValues   = 256
	maxNameLen  = 64
	maxData     = 16 << 10
)

// element is one reading or event of a payload, or why it is none.
type element struct {
	reading *Reading
	event   *Event
	refusal *Refusal
	raw     []byte // the element's bytes, for a dead letter
	where   string // its place in the payload, for people; may be empty
	// The device it is of; the message's own when id is empty.
	id     devices.ID
	device *devices.Device
	typ    *devices.Type
	units  map[string]string // as sent, by metric
	parts  []Part            // of values that stand for themselves
}

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{StageDecode, code, fmt.Sprintf(format, args...)}
}

// decodeNative reads the native JSON form: one object or an array of them. A
// fault in one element of an array leaves the others untouched; a payload that
// is not JSON at all is one refusal.
func decodeNative(payload []byte, one func(*jsontext.Decoder, *element) *Refusal) []element {
	if len(payload) > MaxPayload {
		return []element{{raw: payload, refusal: refuse("payload_too_large", "the payload has %d bytes; at most %d are taken", len(payload), MaxPayload)}}
	}
	if len(bytes.TrimSpace(payload)) == 0 {
		return []element{{raw: payload, refusal: refuse("payload_empty", "the payload is empty")}}
	}
	p := parsers.Get().(*parser)
	defer p.done()
	d := p.begin(payload)
	if d.PeekKind() == '[' {
		return decodeArray(payload, d, one)
	}
	e := element{raw: payload}
	if e.refusal = one(d, &e); e.refusal == nil {
		e.refusal = nothingAfter(payload, d.InputOffset())
	}
	return []element{e}
}

// nothingAfter refuses what stands behind the value that ends at byte end.
func nothingAfter(payload []byte, end int64) *Refusal {
	if rest := bytes.TrimLeft(payload[end:], " \t\r\n"); len(rest) > 0 {
		return refuse("json_invalid", "there is more after the JSON value, at byte %d", len(payload)-len(rest))
	}
	return nil
}

// parser is a decoder to be used again: making one costs more than a reading.
type parser struct {
	buffer  bytes.Buffer
	decoder jsontext.Decoder
}

var parsers = sync.Pool{New: func() any { return &parser{} }}

// begin returns a decoder of b, which it reads without a copy.
func (p *parser) begin(b []byte) *jsontext.Decoder {
	p.buffer = *bytes.NewBuffer(b)
	p.decoder.Reset(&p.buffer)
	return &p.decoder
}

// done lets go of the payload.
func (p *parser) done() {
	p.buffer = bytes.Buffer{}
	p.decoder.Reset(&p.buffer)
	parsers.Put(p)
}

func decodeArray(payload []byte, d *jsontext.Decoder, one func(*jsontext.Decoder, *element) *Refusal) []element {
	// The whole must be sound JSON before any part counts: a cut-off array
	// would otherwise be stored in part and resent in whole.
	if !jsontext.Value(payload).IsValid() {
		whole := jsontext.NewDecoder(bytes.NewReader(payload))
		if _, err := whole.ReadValue(); err != nil {
			return []element{{raw: payload, refusal: BadJSON(err)}}
		}
		if r := nothingAfter(payload, whole.InputOffset()); r != nil {
			return []element{{raw: payload, refusal: r}}
		}
		return []element{{raw: payload, refusal: refuse("json_invalid", "this is not valid JSON")}}
	}
	if _, err := d.ReadToken(); err != nil {
		return []element{{raw: payload, refusal: BadJSON(err)}}
	}
	var es []element
	inner := parsers.Get().(*parser)
	defer inner.done()
	for d.PeekKind() != ']' {
		if len(es) == maxElements {
			return []element{{raw: payload, refusal: refuse("array_too_long", "the array has more than %d elements", maxElements)}}
		}
		v, err := d.ReadValue()
		if err != nil {
			return []element{{raw: payload, refusal: BadJSON(err)}}
		}
		e := element{raw: bytes.Clone(v)}
		e.refusal = one(inner.begin(e.raw), &e)
		es = append(es, e)
	}
	if len(es) == 0 {
		return []element{{raw: payload, refusal: refuse("payload_empty", "the array is empty")}}
	}
	return es
}

// BadJSON turns an error of syntax into a refusal with the place.
func BadJSON(err error) *Refusal {
	var s *jsontext.SyntacticError
	if errors.As(err, &s) && !errors.Is(err, io.ErrUnexpectedEOF) {
		reason := strings.TrimPrefix(s.Err.Error(), "jsontext: ")
		return refuse("json_invalid", "this is not valid JSON: %s at byte %d", reason, s.ByteOffset)
	}
	return refuse("json_invalid", "this is not valid JSON: it ends too early")
}

// members calls fn for each member of the object that d stands before.
func members(d *jsontext.Decoder, what string, fn func(name string) *Refusal) *Refusal {
	if d.PeekKind() != '{' {
		return wrongType(d, what, "an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return BadJSON(err)
	}
	for d.PeekKind() != '}' {
		v, err := d.ReadValue()
		if err != nil {
			return BadJSON(err)
		}
		if r := fn(nameOf(v)); r != nil {
			return r
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return BadJSON(err)
	}
	return nil
}

func skip(d *jsontext.Decoder) *Refusal {
	if err := d.SkipValue(); err != nil {
		return BadJSON(err)
	}
	return nil
}

// wrongType refuses what d stands before, where what should be want. If that is
// no JSON, or nothing, it says so.
func wrongType(d *jsontext.Decoder, what, want string) *Refusal {
	k := d.PeekKind()
	if k == 0 {
		_, err := d.ReadToken()
		return BadJSON(err)
	}
	return refuse("type_wrong", "%s must be %s, not %s", what, want, kindName(k))
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	}
	return "an object"
}

// number reads a JSON number. JSON has no NaN or Infinity; a number too large
// for a float64 is refused as well.
func number(d *jsontext.Decoder, field string) (float64, *Refusal) {
	if d.PeekKind() != '0' {
		return 0, wrongType(d, field, "a number")
	}
	v, err := d.ReadValue()
	if err != nil {
		return 0, BadJSON(err)
	}
	x, err := strconv.ParseFloat(string(v), 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0, refuse("number_out_of_range", "%s: %.40s is too large a number", field, v)
	}
	return x, nil
}

// common are the members that readings and events share.
type common struct {
	ts, sent time.Time
	seq      int64
	lat, lon *float64
}

// member reads one of the common members; ok is false when name is another.
func (c *common) member(d *jsontext.Decoder, name string) (ok bool, r *Refusal) {
	switch name {
	case "ts":
		c.ts, r = timestamp(d, "ts")
	case "sent":
		c.sent, r = timestamp(d, "sent")
	case "seq":
		var x float64
		if x, r = number(d, "seq"); r == nil {
			if x < 0 || x != math.Trunc(x) || x > 1<<53 {
				return true, refuse("seq_invalid", "seq must be a whole number from 0 to 2^53")
			}
			c.seq = int64(x)
		}
	case "lat", "lon":
		if d.PeekKind() == 'n' { // no fix
			return true, skip(d)
		}
		var x float64
		if x, r = number(d, name); r == nil {
			if name == "lat" {
				c.lat = &x
			} else {
				c.lon = &x
			}
		}
	default:
		return false, nil
	}
	return true, r
}

func (c *common) position() (*devices.Position, *Refusal) {
	switch {
	case c.lat == nil && c.lon == nil:
		return nil, nil
	case c.lat == nil || c.lon == nil:
		return nil, refuse("position_incomplete", "lat and lon belong together; only one was given")
	}
	return &devices.Position{Lat: *c.lat, Lon: *c.lon}, nil
}

// maxMillis is some 1,900 years from 1970, and short of the year 1, which would
// count as no time given.
const maxMillis = 6e13

// timestamp reads RFC 3339 text or milliseconds since 1970.
func timestamp(d *jsontext.Decoder, field string) (time.Time, *Refusal) {
	switch d.PeekKind() {
	case '"':
		t, err := d.ReadToken()
		if err != nil {
			return time.Time{}, BadJSON(err)
		}
		at, err := time.Parse(time.RFC3339Nano, t.String())
		if err != nil || at.IsZero() { // the zero time would count as none given
			return time.Time{}, refuse("ts_invalid", "%s %.40q is not a time: use RFC 3339 such as 2026-11-22T08:00:00+07:00, or milliseconds since 1970", field, t.String())
		}
		return at.UTC().Truncate(time.Millisecond), nil
	case '0':
		x, r := number(d, field)
		if r != nil {
			return time.Time{}, r
		}
		if math.Abs(x) > maxMillis {
			return time.Time{}, refuse("ts_invalid", "%s %.0f is not a time in milliseconds since 1970", field, x)
		}
		return time.UnixMilli(int64(x)).UTC(), nil
	default:
		return time.Time{}, wrongType(d, field, "a time as text or milliseconds")
	}
}
