// Package osmand reads positions as Traccar Client and other phone trackers
// send them over HTTP: the query form and the JSON form. The input's topic is
// the path with its query; the payload is the JSON body, or empty.
//
// The query form has speed in knots, the JSON form in m/s. No time means now;
// no position, or 0,0 as phones without a fix say, is a heartbeat. An alarm is
// an event beside the reading: the SOS of a phone is distress.
package osmand

import (
	"encoding/json"
	"strings"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads both forms.
type Decoder struct{}

// New makes a decoder.
func New() Decoder { return Decoder{} }

// message is what either form says.
type message struct {
	device  devices.ID
	reading ingest.Reading
	alarm   string
}

// Decode implements ingest.Decoder.
func (Decoder) Decode(in ingest.Input) []ingest.Item {
	m := message{reading: ingest.Reading{Seq: ingest.NoSeq}}
	var r *ingest.Refusal
	if body := strings.TrimSpace(string(in.Payload[:min(len(in.Payload), 256)])); strings.HasPrefix(strings.TrimPrefix(body, "\ufeff"), "{") {
		r = m.json(in.Payload)
	} else {
		_, query, _ := strings.Cut(in.Topic, "?")
		if query == "" {
			query = strings.TrimSpace(string(in.Payload[:min(len(in.Payload), maxQuery+1)]))
		}
		r = m.query(query)
	}
	if r != nil {
		return []ingest.Item{{Device: m.device, Refusal: r}}
	}
	return m.items()
}

func (m *message) items() []ingest.Item {
	var items []ingest.Item
	if m.alarm != "" {
		items = append(items, ingest.Item{Device: m.device, Event: m.event()})
	}
	if len(m.reading.Values) > 0 || m.reading.Position != nil {
		items = append(items, ingest.Item{Device: m.device, Reading: &m.reading})
	}
	if len(items) == 0 {
		return []ingest.Item{{Device: m.device, Refusal: object.Refuse("values_missing", "there is neither a position nor a value in it")}}
	}
	return items
}

// event is the alarm under Traccar's own word for it.
func (m *message) event() *ingest.Event {
	ev := &ingest.Event{FixTime: m.reading.FixTime, Position: m.reading.Position, Type: "tracker_alarm", Severity: "minor"}
	data := map[string]string{"alarm": m.alarm}
	if m.alarm == "sos" {
		ev.Type, ev.Severity = "distress", "critical"
		data["beacon"] = "phone_sos"
	}
	ev.Data, _ = json.Marshal(data) // strings always marshal
	return ev
}

// place keeps a position unless it is what a phone without a fix says.
func (m *message) place(lat, lon float64) {
	if lat != 0 || lon != 0 {
		m.reading.Position = &devices.Position{Lat: lat, Lon: lon}
	}
}

// add keeps a value unless it is the −1 of something unknown.
func (m *message) add(metric string, x float64) *ingest.Refusal {
	switch metric {
	case "speed_kn", "course_deg", "accuracy_m", "hdop", "battery_pct":
		if x < 0 {
			return nil
		}
	}
	return object.Add(&m.reading.Values, metric, x)
}
