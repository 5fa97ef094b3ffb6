// Package senml reads SenML JSON (RFC 8428): an array of records whose base
// fields apply to those that follow. Records of one device and time become one
// reading. Text and data values are left out; sums become a metric "…_sum".
package senml

import (
	"fmt"
	"math"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads SenML; build it with New.
type Decoder struct{ prefix string }

// New makes a decoder that puts prefix before each device's own name.
func New(prefix string) *Decoder { return &Decoder{prefix} }

// relative: times below 2^28 seconds are relative to now (RFC 8428, 4.5.3).
const relative = 1 << 28

// base are the fields that hold until they are given anew.
type base struct {
	name, unit     string
	time, val, sum float64
}

type group struct {
	device devices.ID
	at     time.Time
}

// Decode implements ingest.Decoder. A fault anywhere refuses the whole: what
// follows a wrong base field would be wrong as well.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	v, r := object.Parse(in.Payload)
	if r != nil {
		return object.One(r)
	}
	records, ok := v.([]any)
	if !ok {
		return object.One(object.Refuse("type_wrong", "SenML is an array of records, not %s", object.Kind(v)))
	}
	if len(records) == 0 || len(records) > object.MaxItems {
		return object.One(object.Refuse("array_length", "a SenML pack has 1 to %d records, not %d", object.MaxItems, len(records)))
	}
	var b base
	var order []group
	items := map[group]*ingest.Item{}
	for i, rec := range records {
		o, r := object.Object(rec, fmt.Sprintf("record %d", i+1))
		if r == nil {
			r = d.record(o, &b, in.ReceivedAt, items, &order)
		}
		if r != nil {
			r.Message = fmt.Sprintf("record %d: %s", i+1, r.Message)
			return object.One(r)
		}
	}
	all := make([]ingest.Item, 0, len(order))
	for _, g := range order {
		all = append(all, *items[g])
	}
	return all
}

func (d *Decoder) record(o map[string]any, b *base, now time.Time, items map[group]*ingest.Item, order *[]group) *ingest.Refusal {
	for key, v := range o {
		if strings.HasSuffix(key, "_") {
			return object.Refuse("field_unknown", "the field %.40q must be understood, and is not", key)
		}
		switch key {
		case "bn", "bu", "n", "u", "vs", "vd":
			if _, ok := v.(string); !ok {
				return object.Refuse("type_wrong", "%s must be a string, not %s", key, object.Kind(v))
			}
		case "bt", "bv", "bs", "v", "s", "t", "ut", "bver":
			if _, ok := v.(float64); !ok {
				return object.Refuse("type_wrong", "%s must be a number, not %s", key, object.Kind(v))
			}
		}
	}
	for key, field := range map[string]*string{"bn": &b.name, "bu": &b.unit} {
		if s, ok := o[key].(string); ok {
			*field = s
		}
	}
	for key, field := range map[string]*float64{"bt": &b.time, "bv": &b.val, "bs": &b.sum} {
		if x, ok := o[key].(float64); ok {
			*field = x
		}
	}
	x, isValue := o["v"].(float64)
	if isValue {
		x += b.val
	} else if on, ok := o["vb"].(bool); ok {
		isValue = true
		if on {
			x = 1
		}
	}
	sum, isSum := o["s"].(float64)
	if !isValue && !isSum {
		return nil // base fields alone, text or data
	}
	device, metric, r := d.split(b.name + object.String(o, "n"))
	if r != nil {
		return r
	}
	t, _ := o["t"].(float64)
	at, r := when(b.time+t, now)
	if r != nil {
		return r
	}
	g := group{device, at}
	it := items[g]
	if it == nil {
		it = &ingest.Item{Device: device, Reading: &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}, Units: map[string]string{}}
		items[g], *order = it, append(*order, g)
	}
	unit := object.String(o, "u")
	if unit == "" {
		unit = b.unit
	}
	if isValue {
		if unit != "" {
			it.Units[metric] = unit
		}
		if r := object.Add(&it.Reading.Values, metric, x); r != nil {
			return r
		}
	}
	if isSum {
		return object.Add(&it.Reading.Values, metric+"_sum", sum+b.sum)
	}
	return nil
}

// when resolves a time; nothing said, and 0, are now.
func when(t float64, now time.Time) (time.Time, *ingest.Refusal) {
	switch {
	case t == 0:
		return time.Time{}, nil
	case math.Abs(t) > 1e12:
		return time.Time{}, object.Refuse("ts_invalid", "%g is not a time in seconds since 1970", t)
	case t < relative:
		return now.Add(time.Duration(t * float64(time.Second))).UTC().Truncate(time.Millisecond), nil
	}
	return time.UnixMilli(int64(math.Round(t * 1000))).UTC(), nil
}

// split parts a global name, such as urn:dev:ow:10e2073a01080063:temp, at its
// last mark into device and metric. Of a URN the namespace is left out; one
// that names a device alone has the metric "value".
func (d *Decoder) split(name string) (devices.ID, string, *ingest.Refusal) {
	if strings.HasPrefix(name, "urn:dev:") && strings.Count(name, ":") == 3 && !strings.Contains(name, "/") {
		id, r := object.DeviceID(d.prefix, name[strings.LastIndexByte(name, ':')+1:])
		return id, "value", r
	}
	i := strings.LastIndexAny(name, ":/")
	if i < 0 || i == len(name)-1 {
		return "", "", object.Refuse("name_invalid", "the name %.80q does not say both device and quantity, as in urn:dev:mac:0024befffe804ff1:temp", name)
	}
	own, metric := name[:i], name[i+1:]
	if strings.HasPrefix(own, "urn:dev:") {
		if parts := strings.SplitN(own, ":", 4); len(parts) == 4 {
			own = parts[3]
		}
	}
	id, r := object.DeviceID(d.prefix, own)
	return id, metric, r
}
