package nmea

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/nmea/ais"
	"haidang/ingest/formats/object"
)

// beacons are the MMSI prefixes of distress equipment.
var beacons = map[uint32]string{970: "sart", 972: "mob", 974: "epirb"}

// items are what one AIS message tells: where a ship is, what it is, or both.
func (d *Decoder) items(m *ais.Message, at time.Time) ([]ingest.Item, *ingest.Refusal) {
	id, r := object.DeviceID(d.o.Prefix, fmt.Sprintf("%09d", m.MMSI))
	if r != nil {
		return nil, r
	}
	var where *devices.Position
	if m.HasPosition && (m.Lat != 0 || m.Lon != 0) {
		where = &devices.Position{Lat: m.Lat, Lon: m.Lon}
	}
	if beacon, ok := beacons[m.MMSI/1_000_000]; ok {
		return []ingest.Item{{Device: id, Event: distress(m, beacon, where, at)}}, nil
	}
	var items []ingest.Item
	tell := func(ev *ingest.Event) {
		if ev != nil {
			items = append(items, ingest.Item{Device: id, Event: ev})
		}
	}
	if m.Type == 14 {
		tell(event("safety_text", m, at, "text"))
		return items, nil
	}
	rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq, Position: where}
	for _, name := range [...]string{"speed_kn", "course_deg", "heading_deg", "nav_status", "altitude_m", "off_position", "virtual_aton"} {
		if x, ok := m.Numbers[name]; ok {
			rd.Values = append(rd.Values, ingest.Value{Metric: name, Number: x})
		}
	}
	if where != nil || len(rd.Values) > 0 { // else it knows nothing of itself
		items = append(items, ingest.Item{Device: id, Reading: rd})
	}
	if m.Static() || m.Type == 19 {
		tell(event("vessel_static", m, at, "imo", "call_sign", "name", "ship_type", "to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m",
			"draught_m", "destination", "mother_ship"))
	}
	return items, nil
}

// event has the fields that the message knows; nil when it knows none.
func event(typ string, m *ais.Message, at time.Time, fields ...string) *ingest.Event {
	data := map[string]any{"mmsi": m.MMSI}
	for _, name := range fields {
		if x, ok := m.Numbers[name]; ok {
			data[name] = x
		} else if s, ok := m.Texts[name]; ok {
			data[name] = s
		}
	}
	if len(data) == 1 {
		return nil
	}
	b, _ := json.Marshal(data) // numbers and plain text always marshal
	return &ingest.Event{FixTime: at, Type: typ, Data: b}
}

// distress is a beacon that is on. One under test says so: its status is
// "undefined" (15) and its text has the word (M.1371-5, tables 45 and 71).
func distress(m *ais.Message, beacon string, where *devices.Position, at time.Time) *ingest.Event {
	_, known := m.Numbers["nav_status"]
	text, spoken := m.Texts["text"]
	ev := &ingest.Event{FixTime: at, Type: "distress", Severity: "critical", Position: where}
	if m.Type <= 3 && !known || spoken && strings.Contains(text, "TEST") {
		ev.Type, ev.Severity = "distress_test", "info"
	}
	data := map[string]any{"beacon": beacon, "mmsi": m.MMSI}
	for _, name := range [...]string{"nav_status", "speed_kn", "course_deg"} {
		if x, ok := m.Numbers[name]; ok {
			data[name] = x
		}
	}
	if spoken {
		data["text"] = text
	}
	ev.Data, _ = json.Marshal(data)
	return ev
}
