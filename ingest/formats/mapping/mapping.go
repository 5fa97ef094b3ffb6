package mapping

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads JSON by its mapping; build it with New.
type Decoder struct{ c *compiled }

// New makes a decoder; an error names the option that is wrong.
func New(o Options) (*Decoder, error) {
	c, err := compile(o)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(c.metrics, func(a, b metric) int { return cmp.Compare(a.name, b.name) })
	return &Decoder{c}, nil
}

// Decode implements ingest.Decoder.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	v, r := object.Parse(in.Payload)
	if r != nil {
		return object.One(r)
	}
	if len(d.c.records) > 0 {
		found := find(v, d.c.records)
		if _, ok := found.([]any); !ok {
			return object.One(object.Refuse("records_missing", "there is no array of records where the mapping looks for it, but %s", object.Kind(found)))
		}
		v = found
	}
	list, ok := v.([]any)
	if !ok {
		return []ingest.Item{d.one(in.Topic, "", v)}
	}
	if len(list) > object.MaxItems {
		return object.One(object.Refuse("array_too_long", "the array has more than %d elements", object.MaxItems))
	}
	items := make([]ingest.Item, len(list))
	for i, e := range list {
		items[i] = d.one(in.Topic, fmt.Sprintf("record %d", i+1), e)
		items[i].Raw = object.Raw(d.alone(e))
	}
	return items
}

// alone is a record as a payload of its own: where the mapping looks for
// records, it finds this one.
func (d *Decoder) alone(record any) any {
	if len(d.c.records) == 0 {
		return record
	}
	v := any([]any{record})
	for _, s := range slices.Backward(d.c.records) {
		if s.index < 0 {
			v = map[string]any{s.key: v}
			continue
		}
		list := make([]any, s.index+1)
		list[s.index] = v
		v = list
	}
	return v
}

func (d *Decoder) one(topic, where string, v any) ingest.Item {
	it := ingest.Item{Where: where, Units: map[string]string{}}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	r := d.fill(topic, v, &it, rd)
	if r != nil {
		it.Refusal = r
		return it
	}
	it.Reading = rd
	return it
}

func (d *Decoder) fill(topic string, v any, it *ingest.Item, rd *ingest.Reading) (r *ingest.Refusal) {
	if _, r = object.Object(v, "a record"); r != nil {
		return r
	}
	if it.Device, r = d.device(topic, v); r != nil {
		return r
	}
	if rd.FixTime, r = d.time(v); r != nil {
		return r
	}
	if rd.Seq, r = d.seq(v); r != nil {
		return r
	}
	if rd.Position, r = d.position(v); r != nil {
		return r
	}
	for _, m := range d.c.metrics {
		x, ok, r := m.value(v)
		if r != nil {
			return r
		}
		if !ok {
			continue
		}
		if r := object.Add(&rd.Values, m.name, x); r != nil {
			return r
		}
		if m.Unit != "" {
			it.Units[m.name] = m.Unit
		}
	}
	if len(rd.Values) == 0 && rd.Position == nil {
		return object.Refuse("values_missing", "none of the mapped values is in it")
	}
	return nil
}

func (d *Decoder) seq(v any) (int64, *ingest.Refusal) {
	if len(d.c.seq) == 0 {
		return ingest.NoSeq, nil
	}
	switch found := find(v, d.c.seq).(type) {
	case nil:
		return ingest.NoSeq, nil
	case float64:
		if found >= 0 && found <= 1<<53 && found == math.Trunc(found) {
			return int64(found), nil
		}
		return 0, object.Refuse("seq_invalid", "the sequence number is %s; a whole number from 0 to 2^53 is wanted", short(found))
	default:
		return 0, object.Refuse("seq_invalid", "the sequence number is %s; a whole number is wanted", object.Kind(found))
	}
}

// position is where both coordinates are given; neither is no fix.
func (d *Decoder) position(v any) (*devices.Position, *ingest.Refusal) {
	if len(d.c.lat) == 0 {
		return nil, nil
	}
	lat, lon := find(v, d.c.lat), find(v, d.c.lon)
	if lat == nil && lon == nil {
		return nil, nil
	}
	y, ok1 := lat.(float64)
	x, ok2 := lon.(float64)
	if !ok1 || !ok2 {
		return nil, object.Refuse("position_incomplete", "latitude is %s and longitude %s; two numbers are wanted", object.Kind(lat), object.Kind(lon))
	}
	return &devices.Position{Lat: y, Lon: x}, nil
}

func (d *Decoder) device(topic string, v any) (devices.ID, *ingest.Refusal) {
	if d.c.level > 0 {
		levels := strings.Split(topic, "/")
		if d.c.level > len(levels) {
			return "", object.Refuse("device_missing", "topic %.80q has no level %d, where the device's name belongs", topic, d.c.level)
		}
		return object.DeviceID(d.c.prefix, levels[d.c.level-1])
	}
	switch name := find(v, d.c.device).(type) {
	case string:
		return object.DeviceID(d.c.prefix, name)
	case float64:
		if name != math.Trunc(name) || math.Abs(name) > 1<<53 {
			return "", object.Refuse("device_id_invalid", "the device's name is the number %s, which JSON does not carry exactly; send it as text", short(name))
		}
		return object.DeviceID(d.c.prefix, strconv.FormatFloat(name, 'f', -1, 64))
	default:
		return "", object.Refuse("device_missing", "the device's name is missing: where the mapping looks for it is %s", object.Kind(name))
	}
}

func (d *Decoder) time(v any) (time.Time, *ingest.Refusal) {
	if len(d.c.time) == 0 {
		return time.Time{}, nil
	}
	found := find(v, d.c.time)
	wrong := object.Refuse("ts_invalid", "the time is %s, which is not of the form %s", short(found), d.c.layout)
	switch d.c.layout {
	case "unix", "unix_ms":
		x, ok := found.(float64)
		if !ok {
			return time.Time{}, wrong
		}
		if d.c.layout == "unix" {
			x *= 1000
		}
		return object.Millis(math.Round(x))
	}
	s, ok := found.(string)
	if !ok {
		return time.Time{}, wrong
	}
	layout := d.c.layout
	if layout == "rfc3339" {
		layout = time.RFC3339Nano
	}
	at, err := time.ParseInLocation(layout, s, d.c.zone)
	if err != nil || at.IsZero() {
		return time.Time{}, wrong
	}
	return at.UTC().Truncate(time.Millisecond), nil
}
