// Package ttn reads uplinks of The Things Stack v3 as its MQTT server publishes
// them, on v3/{application}@{tenant}/devices/{device}/up, locations that its
// services found, and joins; webhooks have the same messages. A device is known
// by its DevEUI, as with ChirpStack: moving it from one network server to the
// other leaves its history whole. A message that somebody simulated is refused.
package ttn

import (
	"strings"

	"haidang/devices"
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
	if simulated, _ := o["simulated"].(bool); simulated {
		return nil, object.Refuse("simulated", "this message was simulated in The Things Stack; no device measured it")
	}
	if o["join_accept"] != nil {
		return &ingest.Item{Device: id, Event: &ingest.Event{FixTime: sent, Type: "network_join", Data: []byte(`{"network":"lorawan"}`)}}, nil
	}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	if solved := o["location_solved"]; solved != nil {
		rd.FixTime = sent
		if rd.Position = place(solved, "location"); rd.Position == nil {
			return nil, object.Refuse("position_incomplete", "the location has no latitude and longitude")
		}
		return &ingest.Item{Device: id, Reading: rd}, nil
	}
	up, ok := o["uplink_message"].(map[string]any)
	if !ok {
		return nil, nil // downlinks, failures and normalized copies are the network's own
	}
	if rd.FixTime, r = object.Time(up, "received_at"); r != nil {
		return nil, r
	}
	if rd.FixTime.IsZero() {
		rd.FixTime = sent
	}
	if n, ok := object.Number(up, "f_cnt"); ok && n >= 0 && n <= 1<<53 {
		rd.Seq = int64(n)
	}
	if r := payload(rd, up); r != nil {
		return nil, r
	}
	if len(rd.Values) == 0 && rd.Position == nil {
		return nil, nil // a frame for the network's sake
	}
	return &ingest.Item{Device: id, Reading: rd}, nil
}

func payload(rd *ingest.Reading, up map[string]any) *ingest.Refusal {
	switch decoded := up["decoded_payload"].(type) {
	case map[string]any:
		placed, r := chirpstack.Decoded(rd, decoded, up["rx_metadata"])
		if r != nil {
			return r
		}
		// Where it was registered is where it is unless it speaks for itself: a
		// tracker without a fix is not at home.
		for _, source := range [...]string{"frm-payload", "user"} {
			if rd.Position == nil && !placed {
				rd.Position = place(up, "locations", source)
			}
		}
		return nil
	case nil:
		if data, _ := up["frm_payload"].(string); data != "" {
			return object.Refuse("object_missing", "the uplink has no decoded_payload: give the device a payload formatter in The Things Stack")
		}
		chirpstack.Signal(rd, up["rx_metadata"]) // an empty frame: a sign of life
		return nil
	default:
		return object.Refuse("type_wrong", "decoded_payload must be an object, not %s", object.Kind(decoded))
	}
}

func place(v any, path ...string) *devices.Position {
	at := object.Get(v, path...)
	lat, ok1 := object.Number(at, "latitude")
	lon, ok2 := object.Number(at, "longitude")
	return object.Position(lat, lon, ok1, ok2)
}
