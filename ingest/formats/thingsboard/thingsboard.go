// Package thingsboard reads what devices and gateways send to ThingsBoard over
// MQTT: telemetry in all its forms, on v1/devices/me/telemetry and
// v1/gateway/telemetry. On the first the payload does not say who sends: the
// configuration names the device. Attributes are sound and not kept.
package thingsboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
}

// Decoder reads ThingsBoard's telemetry; build it with New.
type Decoder struct {
	me     devices.ID
	prefix string
}

// New makes a decoder.
func New(o Options) (*Decoder, error) {
	d := &Decoder{prefix: o.Prefix}
	if o.Device != "" {
		id, err := devices.ParseID(o.Device)
		if err != nil {
			return nil, fmt.Errorf("device: %w", err)
		}
		d.me = id
	}
	return d, nil
}

// Decode implements ingest.Decoder.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	if strings.HasSuffix(in.Topic, "/attributes") || strings.HasSuffix(in.Topic, "/connect") || strings.HasSuffix(in.Topic, "/disconnect") {
		return nil
	}
	v, r := object.Parse(in.Payload)
	if r != nil {
		return object.One(r)
	}
	if !strings.HasPrefix(in.Topic, "v1/gateway/") {
		if d.me == "" {
			return object.One(object.Refuse("device_missing", "on %.60q nobody says who sends: name the device in the source's options", in.Topic))
		}
		return telemetry(d.me, "", v)
	}
	o, r := object.Object(v, "a gateway's telemetry")
	if r != nil {
		return object.One(r)
	}
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	var items []ingest.Item
	for _, name := range names {
		id, r := object.DeviceID(d.prefix, name)
		if r != nil {
			items = append(items, ingest.Item{Refusal: r})
			continue
		}
		if _, ok := o[name].([]any); !ok {
			items = append(items, ingest.Item{Device: id, Refusal: object.Refuse("type_wrong", "%.60q must have an array of telemetry, not %s", name, object.Kind(o[name]))})
			continue
		}
		items = append(items, telemetry(id, name+" ", o[name])...)
	}
	return items
}

// telemetry reads an object, {"ts","values"}, or an array of either.
func telemetry(id devices.ID, where string, v any) []ingest.Item {
	list, ok := v.([]any)
	if !ok {
		return []ingest.Item{one(id, "", v)}
	}
	if len(list) > object.MaxItems {
		return object.One(object.Refuse("array_too_long", "the array has more than %d elements", object.MaxItems))
	}
	var items []ingest.Item
	for i, e := range list {
		items = append(items, one(id, fmt.Sprintf("%selement %d", where, i+1), e))
	}
	return items
}

func one(id devices.ID, where string, v any) ingest.Item {
	it := ingest.Item{Device: id, Where: where}
	o, r := object.Object(v, "telemetry")
	var at time.Time
	if r == nil {
		values, timed := o["values"].(map[string]any)
		if ts, ok := object.Number(o, "ts"); ok && timed {
			at, r = object.Millis(ts)
			o = values
		}
	}
	if r == nil {
		rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}
		if rd.Values, r = object.Flatten("", o); r == nil && len(rd.Values) == 0 {
			r = object.Refuse("values_missing", "there is no number in it")
		}
		it.Reading = rd
	}
	if r != nil {
		it.Reading, it.Refusal = nil, r
	}
	return it
}
