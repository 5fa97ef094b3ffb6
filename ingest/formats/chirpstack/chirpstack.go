// Package chirpstack reads the events of ChirpStack v4 in JSON: as its MQTT
// integration publishes them, on application/{id}/device/{DevEUI}/event/{event},
// and as its HTTP integration posts them, with ?event={event}. It takes uplinks
// with their decoded object, device status, location and joins. Frames with
// data and no decoded object are refused: a codec belongs in ChirpStack.
package chirpstack

import (
	"net/url"
	"strconv"
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
	it := &ingest.Item{Device: id}
	rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}
	switch event := eventOf(topic); event {
	case "up":
		if r = uplink(o, rd); r == nil && len(rd.Values) == 0 && rd.Position == nil {
			return nil, nil // a frame for the network's sake, without a word of who heard it
		}
		it.Reading = rd
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
		it.Event = &ingest.Event{FixTime: at, Type: "network_join", Data: []byte(`{"network":"lorawan"}`)}
	case "ack", "txack", "log", "integration":
		return nil, nil // between ChirpStack and the device
	default:
		return nil, object.Refuse("event_unknown", "%.40q is no event of ChirpStack; the topic ends in it, as in …/event/up, or has ?event=up", event)
	}
	return it, r
}

// eventOf is the event's name by topic or by the query of ChirpStack's HTTP
// integration.
func eventOf(topic string) string {
	if _, query, ok := strings.Cut(topic, "?"); ok {
		q, _ := url.ParseQuery(query)
		return q.Get("event")
	}
	return topic[strings.LastIndexByte(topic, '/')+1:]
}

func uplink(o map[string]any, rd *ingest.Reading) *ingest.Refusal {
	if n, ok := object.Number(o, "fCnt"); ok && n >= 0 && n <= 1<<53 {
		rd.Seq = int64(n)
	}
	switch decoded := o["object"].(type) {
	case map[string]any:
		_, r := Decoded(rd, decoded, o["rxInfo"])
		return r
	case nil:
		if data, _ := o["data"].(string); data != "" {
			return object.Refuse("object_missing", "the uplink has no decoded object: give its device profile a codec in ChirpStack")
		}
		Signal(rd, o["rxInfo"]) // an empty frame: a sign of life
		return nil
	default:
		return object.Refuse("type_wrong", "object must be an object, not %s", object.Kind(decoded))
	}
}

// Decoded fills a reading from what a codec made of an uplink and from its
// receptions, as other LoRaWAN servers have them too. placed tells that the
// codec has words for a position, though they may say that there is none.
func Decoded(rd *ingest.Reading, decoded map[string]any, receptions any) (placed bool, r *ingest.Refusal) {
	rd.Position, placed = position(decoded)
	if rd.Values, r = object.Flatten("", decoded); r != nil {
		return placed, r
	}
	Signal(rd, receptions)
	return placed, none(rd)
}

// Signal adds the strongest gateway's rssi_dbm and snr_db; what a codec says
// under these names goes before.
func Signal(rd *ingest.Reading, receptions any) {
	list, _ := receptions.([]any)
	var best any
	strongest, heard := 0.0, false
	for _, g := range list {
		x, ok := object.Number(g, "rssi")
		if !ok && object.Get(g, "rssi") != nil {
			return // of what cannot be compared, none is the strongest
		}
		if ok && (!heard || x > strongest) {
			best, strongest, heard = g, x, true
		}
	}
	if !heard {
		return
	}
	object.Add(&rd.Values, "rssi_dbm", strongest)
	if snr, ok := object.Number(best, "snr"); ok {
		object.Add(&rd.Values, "snr_db", snr)
	}
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

// position is what a tracker's codec says under the usual names, at the top or
// in an object of its own, as Cayenne LPP has it: gpsLocation.1.latitude (in
// ChirpStack), gps_1.latitude (in The Things Stack).
func position(o map[string]any) (p *devices.Position, placed bool) {
	for _, names := range [...][2]string{{"latitude", "longitude"}, {"lat", "lon"}, {"lat", "lng"}} {
		lat, ok1 := object.Number(o, names[0])
		lon, ok2 := object.Number(o, names[1])
		placed = placed || o[names[0]] != nil
		if p := object.Position(lat, lon, ok1, ok2); p != nil && (lat != 0 || lon != 0) {
			return p, true
		}
	}
	for _, name := range object.Keys(o) {
		inner, ok := o[name].(map[string]any)
		if !ok {
			continue
		}
		_, err := strconv.Atoi(name)
		if low := strings.ToLower(name); err == nil || strings.HasPrefix(low, "gps") || low == "location" || low == "position" {
			p, inside := position(inner)
			if placed = placed || inside; p != nil {
				return p, true
			}
		}
	}
	return nil, placed
}
