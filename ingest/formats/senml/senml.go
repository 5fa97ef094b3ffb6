// Package senml reads SenML JSON (RFC 8428): an array of records whose base
// fields apply to those that follow. Records of one device and time become one
// reading; those in units of lat and lon are its position. Text and data values
// are left out; sums become a metric "…_sum".
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
	p := pack{prefix: d.prefix, now: in.ReceivedAt, known: map[key]*group{}}
	for i, rec := range records {
		o, r := object.Object(rec, "it")
		if r == nil {
			r = check(o)
		}
		if r == nil {
			r = p.record(o)
		}
		if r != nil {
			r.Message = fmt.Sprintf("record %d: %s", i+1, r.Message)
			return object.One(r)
		}
	}
	items := make([]ingest.Item, len(p.groups))
	for i, g := range p.groups {
		if r := g.place(); r != nil {
			return object.One(r)
		}
		if len(items) > 1 {
			g.Raw = object.Raw(g.records)
		}
		items[i] = g.Item
	}
	return items
}

// when resolves a time; nothing said, and 0, are now.
func when(t float64, now time.Time) (time.Time, *ingest.Refusal) {
	switch {
	case t == 0:
		return time.Time{}, nil
	case math.Abs(t) > 6e10:
		return time.Time{}, object.Refuse("ts_invalid", "%g is not a time in seconds since 1970", t)
	case t < relative:
		return now.Add(time.Duration(t * float64(time.Second))).UTC().Truncate(time.Millisecond), nil
	}
	return time.UnixMilli(int64(math.Round(t * 1000))).UTC(), nil
}

// split parts a global name, such as urn:dev:ow:10e2073a01080063:temp, at its
// last mark into device and metric. Of a URN the namespace is left out; what
// follows "_" in one of a device names its part (RFC 9039), and one that names
// a device alone has the metric "value".
func split(prefix, name string) (devices.ID, string, *ingest.Refusal) {
	own, isURN := strings.CutPrefix(name, "urn:dev:")
	if isURN && strings.Count(own, ":") == 1 && !strings.Contains(own, "/") {
		_, own, _ = strings.Cut(own, ":")
		own, part, _ := strings.Cut(own, "_")
		id, r := object.DeviceID(prefix, own)
		if part == "" {
			part = "value"
		}
		return id, part, r
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
	id, r := object.DeviceID(prefix, own)
	return id, metric, r
}
