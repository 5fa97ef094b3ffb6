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
	}
	return items
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
	if x, ok := find(v, d.c.seq).(float64); ok && len(d.c.seq) > 0 && x >= 0 && x <= 1<<53 && x == math.Trunc(x) {
		rd.Seq = int64(x)
	}
	if len(d.c.lat) > 0 {
		lat, ok1 := find(v, d.c.lat).(float64)
		lon, ok2 := find(v, d.c.lon).(float64)
		rd.Position = object.Position(lat, lon, ok1, ok2)
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
	if err != nil {
		return time.Time{}, wrong
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func short(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%.40q", v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return object.Kind(v)
}

// value reads one metric; ok is false when it says nothing.
func (m *metric) value(v any) (x float64, ok bool, r *ingest.Refusal) {
	switch found := find(v, m.path).(type) {
	case nil:
		return 0, false, nil
	case float64:
		x = found
	case bool:
		if found {
			x = 1
		}
	case string:
		if y, ok := m.Table[found]; ok {
			x = y
			break
		}
		if !m.Text {
			return 0, false, object.Refuse("type_wrong", "%s is the text %.40q; a number is wanted (text = true allows numbers as text)", m.name, found)
		}
		text := strings.TrimSpace(found)
		if m.Comma {
			text = strings.Replace(text, ",", ".", 1)
		}
		y, err := strconv.ParseFloat(text, 64)
		if err != nil || strings.ContainsAny(text, "xXpP_") {
			hint := ""
			if strings.Contains(found, ",") && !m.Comma {
				hint = " (comma = true allows a decimal comma)"
			}
			return 0, false, object.Refuse("number_invalid", "%s is %.40q, which is no number%s", m.name, found, hint)
		}
		x = y
	default:
		return 0, false, object.Refuse("type_wrong", "%s is %s; a number is wanted", m.name, object.Kind(found))
	}
	if slices.Contains(m.Missing, x) {
		return 0, false, nil
	}
	return x*m.Scale + m.Offset, true, nil
}
