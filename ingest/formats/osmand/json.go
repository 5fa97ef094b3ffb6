package osmand

import (
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// knots is m/s in knots.
const knots = 3600.0 / 1852

func (m *message) json(payload []byte) *ingest.Refusal {
	v, r := object.Parse(payload)
	if r != nil {
		return r
	}
	name := object.String(v, "device_id")
	if name == "" {
		return object.Refuse("device_missing", "device_id must be the device's name as text, not %s", object.Kind(object.Get(v, "device_id")))
	}
	if m.device, r = object.DeviceID("", name); r != nil {
		return r
	}
	loc, r := object.Object(object.Get(v, "location"), "location")
	if r != nil {
		return r
	}
	if m.reading.FixTime, r = object.Time(loc, "timestamp"); r != nil {
		return r
	}
	if coords := loc["coords"]; coords != nil {
		lat, ok1 := object.Number(coords, "latitude")
		lon, ok2 := object.Number(coords, "longitude")
		if !ok1 || !ok2 {
			return object.Refuse("position_incomplete", "coords needs latitude and longitude as numbers")
		}
		m.place(lat, lon)
	}
	if r := m.measured(loc); r != nil {
		return r
	}
	if m.alarm = object.String(loc, "alarm"); m.alarm == "" {
		m.alarm = object.String(loc, "extras", "alarm") // where Traccar Client has its SOS
	}
	return m.extras(loc["extras"])
}

// measured keeps the numbers and flags that Traccar Client knows.
func (m *message) measured(loc map[string]any) *ingest.Refusal {
	for _, f := range []struct {
		metric string
		path   []string
		scale  float64 // 0 for a flag
	}{
		{"speed_kn", []string{"coords", "speed"}, knots}, {"course_deg", []string{"coords", "heading"}, 1},
		{"accuracy_m", []string{"coords", "accuracy"}, 1}, {"altitude_m", []string{"coords", "altitude"}, 1},
		{"battery_pct", []string{"battery", "level"}, 100}, {"odometer_m", []string{"odometer"}, 1},
		{"mock", []string{"mock"}, 0}, {"moving", []string{"is_moving"}, 0}, {"charging", []string{"battery", "is_charging"}, 0},
	} {
		v := object.Get(loc, f.path...)
		x, isNumber := v.(float64)
		on, isFlag := v.(bool)
		switch {
		case v == nil:
			continue
		case f.scale == 0 && !isFlag:
			return object.Refuse("type_wrong", "%s must be true or false, not %s", f.path[len(f.path)-1], object.Kind(v))
		case f.scale != 0 && !isNumber:
			return object.Refuse("type_wrong", "%s must be a number, not %s", f.path[len(f.path)-1], object.Kind(v))
		case on:
			x = 1
		case isNumber:
			x *= f.scale
		}
		if r := m.add(f.metric, x); r != nil {
			return r
		}
	}
	return nil
}

// extras keeps the numbers of a user's own, as the query form does.
func (m *message) extras(v any) *ingest.Refusal {
	o, _ := v.(map[string]any)
	for _, key := range object.Keys(o) {
		switch x := o[key].(type) {
		case float64:
			if r := m.add(key, x); r != nil {
				return r
			}
		case bool:
			n := 0.0
			if x {
				n = 1
			}
			if r := m.add(key, n); r != nil {
				return r
			}
		}
	}
	return nil
}
