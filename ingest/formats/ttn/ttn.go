// Package ttn reads uplinks of The Things Stack v3 as its MQTT server publishes
// them, on v3/{application}@{tenant}/devices/{device}/up, and joins. A device
// is known by its DevEUI, as with ChirpStack: moving it from one network
// server to the other leaves its history whole.
package ttn

import (
	"strings"

	"haidang/ingest"
	"haidang/ingest/formats/chirpstack"
	"haidang/ingest/formats/object"
)

// Decoder reads The Things Stack's messages.
type Decoder struct{}

// New makes a decoder.
func New() Decoder { return Decoder{} }

// Decode implements ingest.Decoder.
func (Decoder) Decode(in ingest.Input) []ingest.Item {
	v, r := object.Parse(in.Payload)
	if r != nil {
		return object.One(r)
	}
	it, r := decode(v)
	if r != nil {
		return object.One(r)
	}
	if it == nil {
		return nil
	}
	return []ingest.Item{*it}
}

func decode(v any) (*ingest.Item, *ingest.Refusal) {
	o, r := object.Object(v, "a message")
	if r != nil {
		return nil, r
	}
	prefix, own := "eui-", strings.ToLower(object.String(o, "end_device_ids", "dev_eui"))
	if own == "" {
		prefix, own = "", object.String(o, "end_device_ids", "device_id")
	}
	if own == "" {
		return nil, object.Refuse("device_missing", "the message names no device: end_device_ids is missing")
	}
	id, r := object.DeviceID(prefix, own)
	if r != nil {
		return nil, r
	}
	sent, r := object.Time(o, "received_at")
	if r != nil {
		return nil, r
	}
	if o["join_accept"] != nil {
		return &ingest.Item{Device: id, Event: &ingest.Event{FixTime: sent, Type: "network_join", Data: []byte(`{"network":"lorawan"}`)}}, nil
	}
	up, ok := o["uplink_message"].(map[string]any)
	if !ok {
		return nil, nil // downlinks and failures are the network's own
	}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	if rd.FixTime, r = object.Time(up, "received_at"); r != nil {
		return nil, r
	}
	if rd.FixTime.IsZero() {
		rd.FixTime = sent
	}
	if n, ok := object.Number(up, "f_cnt"); ok && n >= 0 && n <= 1<<53 {
		rd.Seq = int64(n)
	}
	decoded, ok := up["decoded_payload"].(map[string]any)
	if !ok {
		return nil, object.Refuse("object_missing", "the uplink has no decoded_payload: give the device a payload formatter in The Things Stack")
	}
	rd.Position = chirpstack.Position(decoded)
	if rd.Position == nil {
		for _, source := range []string{"frm-payload", "user"} {
			place := object.Get(up, "locations", source)
			lat, ok1 := object.Number(place, "latitude")
			lon, ok2 := object.Number(place, "longitude")
			if rd.Position = object.Position(lat, lon, ok1, ok2); rd.Position != nil {
				break
			}
		}
	}
	if rd.Values, r = object.Flatten("", decoded); r != nil {
		return nil, r
	}
	for name, x := range chirpstack.Best(up["rx_metadata"], "rssi", "snr") {
		if r := object.Add(&rd.Values, name, x); r != nil && r.Code != "metric_twice" {
			return nil, r
		}
	}
	if len(rd.Values) == 0 && rd.Position == nil {
		return nil, object.Refuse("values_missing", "there is no number in the decoded payload")
	}
	return &ingest.Item{Device: id, Reading: rd}, nil
}
