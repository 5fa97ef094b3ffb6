// Package thingsboard reads what devices and gateways send to ThingsBoard over
// MQTT: telemetry in all its forms, on v1/devices/me/telemetry, v2/t and
// v1/gateway/telemetry. On the first two the payload does not say who sends:
// the configuration names the device. Attributes, remote calls and the like are
// sound and not kept. Values that are text are left out unless the options say
// that numbers come as text.
package thingsboard

import (
	"fmt"
	"strings"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Options say what the payload does not.
type Options struct {
	// Device sends on v1/devices/me/telemetry; empty: nobody does.
	Device string `toml:"device"`
	// Prefix is put before the names a gateway gives.
	Prefix string `toml:"prefix"`
	// Text allows numbers as text, as ThingsBoard itself takes them.
	Text bool `toml:"text"`
}

// Decoder reads ThingsBoard's telemetry; build it with New.
type Decoder struct {
	me     devices.ID
	prefix string
	text   bool
}

// New makes a decoder.
func New(o Options) (*Decoder, error) {
	d := &Decoder{prefix: o.Prefix, text: o.Text}
	if o.Device != "" {
		id, err := devices.ParseID(o.Device)
		if err != nil {
			return nil, fmt.Errorf("device: %w", err)
		}
		d.me = id
	}
	return d, nil
}

// kind says what a topic carries. Topics that are not ThingsBoard's, such as an
// HTTP path, carry telemetry.
func kind(topic string) (telemetry, gateway bool) {
	if rest, ok := strings.CutPrefix(topic, "v2/"); ok {
		return strings.HasPrefix(rest, "t"), false
	}
	for _, root := range [...]string{"v1/devices/me/", "v1/gateway/"} {
		if rest, ok := strings.CutPrefix(topic, root); ok {
			return rest == "telemetry", root == "v1/gateway/"
		}
	}
	return !strings.HasPrefix(topic, "/provision/") && !strings.HasSuffix(topic, "/attributes"), false
}

// Decode implements ingest.Decoder.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	telemetry, gateway := kind(in.Topic)
	if !telemetry {
		return nil
	}
	if strings.HasPrefix(in.Topic, "v2/t/p") {
		return object.One(object.Refuse("format_unknown", "on %.60q comes Protobuf, which is not read; let the device send JSON", in.Topic))
	}
	v, r := object.Parse(in.Payload)
	if r != nil {
		return object.One(r)
	}
	if !gateway {
		if d.me == "" {
			return object.One(object.Refuse("device_missing", "on %.60q nobody says who sends: name the device in the source's options", in.Topic))
		}
		return d.telemetry(d.me, "", v)
	}
	o, r := object.Object(v, "a gateway's telemetry")
	if r != nil {
		return object.One(r)
	}
	var items []ingest.Item
	for _, name := range object.Keys(o) {
		id, r := object.DeviceID(d.prefix, name)
		if _, ok := o[name].([]any); !ok && r == nil {
			r = object.Refuse("type_wrong", "%.60q must have an array of telemetry, not %s", name, object.Kind(o[name]))
		}
		if r != nil {
			items = append(items, ingest.Item{Device: id, Refusal: r, Raw: object.Raw(map[string]any{name: o[name]})})
			continue
		}
		items = append(items, d.telemetry(id, name, o[name])...)
	}
	return items
}

// telemetry reads an object, {"ts","values"}, or an array of either; name is
// the device's own, when a gateway sends.
func (d *Decoder) telemetry(id devices.ID, name string, v any) []ingest.Item {
	list, ok := v.([]any)
	if !ok {
		return []ingest.Item{d.one(id, v)}
	}
	if len(list) > object.MaxItems {
		return []ingest.Item{{Device: id, Refusal: object.Refuse("array_too_long", "the array has more than %d elements", object.MaxItems)}}
	}
	var items []ingest.Item
	for i, e := range list {
		it := d.one(id, e)
		it.Where = strings.TrimSpace(fmt.Sprintf("%s element %d", name, i+1))
		if name == "" {
			it.Raw = object.Raw(e)
		} else {
			it.Raw = object.Raw(map[string]any{name: []any{e}})
		}
		items = append(items, it)
	}
	return items
}

func (d *Decoder) one(id devices.ID, v any) ingest.Item {
	it := ingest.Item{Device: id}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	if it.Refusal = d.fill(v, rd); it.Refusal == nil {
		it.Reading = rd
	}
	return it
}

func (d *Decoder) fill(v any, rd *ingest.Reading) *ingest.Refusal {
	o, r := object.Object(v, "telemetry")
	if r != nil {
		return r
	}
	if ts, timed := o["ts"]; timed {
		// To keep "ts" as a value would make an old reading a fresh one.
		x, ok1 := ts.(float64)
		values, ok2 := o["values"].(map[string]any)
		if !ok1 || !ok2 {
			return object.Refuse("ts_invalid", `with "ts" go a number of milliseconds and "values": {"ts":1795334400000,"values":{…}}`)
		}
		if rd.FixTime, r = object.Millis(x); r != nil {
			return r
		}
		o = values
	}
	if d.text {
		o = numbers(o)
	}
	if rd.Values, r = object.Flatten("", o); r == nil && len(rd.Values) == 0 {
		r = object.Refuse("values_missing", "there is no number in it")
	}
	return r
}

// numbers is o with the numbers that are written as text.
func numbers(o map[string]any) map[string]any {
	out := make(map[string]any, len(o))
	for key, v := range o {
		if s, ok := v.(string); ok {
			if x, ok := object.Decimal(s); ok {
				v = x
			}
		}
		out[key] = v
	}
	return out
}
