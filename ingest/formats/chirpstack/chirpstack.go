// Package chirpstack reads the events of ChirpStack v4 as its MQTT integration
// publishes them in JSON, on application/{id}/device/{DevEUI}/event/{event}:
// uplinks with their decoded object, device status, location and joins. Raw
// frames without a decoded object are refused: a codec belongs in ChirpStack.
package chirpstack

import (
	"fmt"
	"strings"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads ChirpStack's events.
type Decoder struct{}

// New makes a decoder.
func New() Decoder { return Decoder{} }

// Decode implements ingest.Decoder.
func (Decoder) Decode(in ingest.Input) []ingest.Item {
	v, r := object.Parse(in.Payload)
	if r != nil {
		return object.One(r)
	}
	it, r := decode(in.Topic, v)
	if r != nil {
		return object.One(r)
	}
	if it == nil {
		return nil
	}
	return []ingest.Item{*it}
}

func decode(topic string, v any) (*ingest.Item, *ingest.Refusal) {
	o, r := object.Object(v, "an event")
	if r != nil {
		return nil, r
	}
	eui := object.String(o, "deviceInfo", "devEui")
	if eui == "" {
		return nil, object.Refuse("device_missing", "the event names no device: deviceInfo.devEui is missing (ChirpStack before v4 is not read)")
	}
	id, r := object.DeviceID("eui-", strings.ToLower(eui))
	if r != nil {
		return nil, r
	}
	at, r := object.Time(o, "time")
	if r != nil {
		return nil, r
	}
	event := topic[strings.LastIndexByte(topic, '/')+1:]
	it := &ingest.Item{Device: id}
	rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}
	switch event {
	case "up":
		it.Reading, r = rd, uplink(o, rd)
	case "status":
		it.Reading, r = rd, status(o, rd)
	case "location":
		lat, ok1 := object.Number(o, "location", "latitude")
		lon, ok2 := object.Number(o, "location", "longitude")
		if rd.Position = object.Position(lat, lon, ok1, ok2); rd.Position == nil {
			return nil, object.Refuse("position_incomplete", "the location event has no latitude and longitude")
		}
		it.Reading = rd
	case "join":
		it.Event = &ingest.Event{FixTime: at, Type: "network_join", Data: fmt.Appendf(nil, `{"network":"lorawan"}`)}
	default:
		return nil, nil // acknowledgements and logs are between ChirpStack and the device
	}
	return it, r
}

func uplink(o map[string]any, rd *ingest.Reading) *ingest.Refusal {
	if n, ok := object.Number(o, "fCnt"); ok && n >= 0 && n <= 1<<53 {
		rd.Seq = int64(n)
	}
	decoded, ok := o["object"].(map[string]any)
	if !ok {
		return object.Refuse("object_missing", "the uplink has no decoded object: give its device profile a codec in ChirpStack")
	}
	rd.Position = position(decoded)
	var r *ingest.Refusal
	if rd.Values, r = object.Flatten("", decoded); r != nil {
		return r
	}
	best := Best(object.Get(o, "rxInfo"), "rssi", "snr")
	for name, x := range best {
		if r := object.Add(&rd.Values, name, x); r != nil && r.Code != "metric_twice" {
			return r
		}
	}
	return none(rd)
}

// Best is the strongest gateway's signal: rssi_dbm and snr_db.
func Best(receptions any, rssiKey, snrKey string) map[string]float64 {
	best := map[string]float64{}
	list, _ := receptions.([]any)
	for _, g := range list {
		rssi, ok := object.Number(g, rssiKey)
		if old, had := best["rssi_dbm"]; !ok || had && rssi <= old {
			continue
		}
		best["rssi_dbm"] = rssi
		delete(best, "snr_db")
		if snr, ok := object.Number(g, snrKey); ok {
			best["snr_db"] = snr
		}
	}
	return best
}

func status(o map[string]any, rd *ingest.Reading) *ingest.Refusal {
	unavailable, _ := o["batteryLevelUnavailable"].(bool)
	if b, ok := object.Number(o, "batteryLevel"); ok && !unavailable {
		rd.Values = append(rd.Values, ingest.Value{Metric: "battery_pct", Number: b})
	}
	if m, ok := object.Number(o, "margin"); ok {
		rd.Values = append(rd.Values, ingest.Value{Metric: "margin_db", Number: m})
	}
	if external, ok := o["externalPowerSource"].(bool); ok {
		x := 0.0
		if external {
			x = 1
		}
		rd.Values = append(rd.Values, ingest.Value{Metric: "external_power", Number: x})
	}
	return none(rd)
}

func none(rd *ingest.Reading) *ingest.Refusal {
	if len(rd.Values) == 0 && rd.Position == nil {
		return object.Refuse("values_missing", "there is no number in it")
	}
	return nil
}

// position is what a tracker's codec says under the usual names.
func position(o map[string]any) *devices.Position {
	for _, names := range [...][2]string{{"latitude", "longitude"}, {"lat", "lon"}, {"lat", "lng"}} {
		lat, ok1 := object.Number(o, names[0])
		lon, ok2 := object.Number(o, names[1])
		if p := object.Position(lat, lon, ok1, ok2); p != nil && (lat != 0 || lon != 0) {
			return p
		}
	}
	return nil
}

// Position reads a decoded object's own position, for other LoRaWAN servers.
func Position(o map[string]any) *devices.Position { return position(o) }
