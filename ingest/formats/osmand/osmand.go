// Package osmand reads positions as Traccar Client and other phone trackers
// send them over HTTP: the query form and the JSON form. The input's topic is
// the path with its query; the payload is the JSON body, or empty.
//
// The query form has speed in knots, the JSON form in m/s. No time means now;
// no position is a heartbeat.
package osmand

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads both forms.
type Decoder struct{}

// New makes a decoder.
func New() Decoder { return Decoder{} }

// knots is m/s in knots.
const knots = 3600.0 / 1852

// Decode implements ingest.Decoder.
func (Decoder) Decode(in ingest.Input) []ingest.Item {
	var it ingest.Item
	var r *ingest.Refusal
	if body := strings.TrimSpace(string(in.Payload[:min(len(in.Payload), 256)])); strings.HasPrefix(body, "{") {
		it, r = fromJSON(in.Payload)
	} else {
		_, query, _ := strings.Cut(in.Topic, "?")
		if query == "" {
			query = string(in.Payload[:min(len(in.Payload), 8192)])
		}
		it, r = fromQuery(query)
	}
	if r == nil && len(it.Reading.Values) == 0 && it.Reading.Position == nil {
		r = object.Refuse("values_missing", "there is neither a position nor a value in it")
	}
	if r != nil {
		return []ingest.Item{{Device: it.Device, Refusal: r}}
	}
	return []ingest.Item{it}
}

// queryMetrics are the parameters with a meaning of their own.
var queryMetrics = map[string]string{"speed": "speed_kn", "bearing": "course_deg", "heading": "course_deg", "altitude": "altitude_m", "accuracy": "accuracy_m", "hdop": "hdop", "batt": "battery_pct"}

func fromQuery(query string) (it ingest.Item, r *ingest.Refusal) {
	if len(query) > 8192 {
		return it, object.Refuse("payload_too_large", "the query has more than 8,192 bytes")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return it, object.Refuse("query_invalid", "the query cannot be read: %.80s", err)
	}
	name := q.Get("id")
	if name == "" {
		name = q.Get("deviceid")
	}
	if name == "" {
		return it, object.Refuse("device_missing", "the query needs id=…")
	}
	if it.Device, r = object.DeviceID("", name); r != nil {
		return it, r
	}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	it.Reading = rd
	if rd.FixTime, r = queryTime(q.Get("timestamp")); r != nil {
		return it, r
	}
	lat, lon := q.Get("lat"), q.Get("lon")
	if at := q.Get("location"); at != "" {
		lat, lon, _ = strings.Cut(at, ",")
	}
	if lat != "" || lon != "" {
		y, err1 := strconv.ParseFloat(lat, 64)
		x, err2 := strconv.ParseFloat(lon, 64)
		if err1 != nil || err2 != nil || math.IsNaN(x+y) || math.IsInf(x+y, 0) {
			return it, object.Refuse("position_invalid", "lat=%.20s and lon=%.20s are no position", lat, lon)
		}
		if valid := q.Get("valid"); valid == "" || valid == "true" || valid == "1" {
			rd.Position = object.Position(y, x, true, true)
		}
	}
	for key, vals := range q {
		if len(vals) != 1 {
			return it, object.Refuse("parameter_twice", "%.40s is given %d times", key, len(vals))
		}
		switch key {
		case "id", "deviceid", "timestamp", "lat", "lon", "location", "valid", "key", "cell", "wifi", "driverUniqueId", "notificationToken":
			continue
		}
		metric := queryMetrics[key]
		x, err := strconv.ParseFloat(vals[0], 64)
		switch {
		case err == nil && !math.IsNaN(x) && !math.IsInf(x, 0):
		case vals[0] == "true":
			x = 1
		case vals[0] == "false":
			x = 0
		case metric != "":
			return it, object.Refuse("number_invalid", "%s=%.40s is no number", key, vals[0])
		default:
			continue // text of a user's own
		}
		if metric == "" {
			metric = key
		}
		if r := object.Add(&rd.Values, metric, x); r != nil {
			return it, r
		}
	}
	return it, nil
}

// queryTime reads seconds (below 2^31), milliseconds, ISO 8601 or
// "yyyy-MM-dd HH:mm:ss" in UTC.
func queryTime(s string) (time.Time, *ingest.Refusal) {
	if s == "" {
		return time.Time{}, nil
	}
	if x, err := strconv.ParseInt(s, 10, 64); err == nil {
		if x < math.MaxInt32 {
			x *= 1000
		}
		return object.Millis(float64(x))
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC().Truncate(time.Millisecond), nil
		}
	}
	return time.Time{}, object.Refuse("ts_invalid", "timestamp=%.40s is not a time: use seconds or milliseconds since 1970, or 2026-11-22T08:00:00Z", s)
}

func fromJSON(payload []byte) (it ingest.Item, r *ingest.Refusal) {
	v, r := object.Parse(payload)
	if r != nil {
		return it, r
	}
	name := object.String(v, "device_id")
	if name == "" {
		return it, object.Refuse("device_missing", "device_id is missing")
	}
	if it.Device, r = object.DeviceID("", name); r != nil {
		return it, r
	}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	it.Reading = rd
	loc := object.Get(v, "location")
	if rd.FixTime, r = object.Time(loc, "timestamp"); r != nil {
		return it, r
	}
	coords := object.Get(loc, "coords")
	lat, ok1 := object.Number(coords, "latitude")
	lon, ok2 := object.Number(coords, "longitude")
	if coords != nil && (!ok1 || !ok2) {
		return it, object.Refuse("position_incomplete", "coords needs latitude and longitude as numbers")
	}
	rd.Position = object.Position(lat, lon, ok1, ok2)
	for _, m := range []struct {
		metric  string
		path    []string
		scale   float64
		unknown bool // -1 says so
	}{
		{"speed_kn", []string{"coords", "speed"}, knots, true}, {"course_deg", []string{"coords", "heading"}, 1, true},
		{"accuracy_m", []string{"coords", "accuracy"}, 1, true}, {"altitude_m", []string{"coords", "altitude"}, 1, false},
		{"battery_pct", []string{"battery", "level"}, 100, true}, {"odometer_m", []string{"odometer"}, 1, false},
	} {
		x, ok := object.Number(loc, m.path...)
		if !ok || m.unknown && x < 0 {
			continue
		}
		if r := object.Add(&rd.Values, m.metric, x*m.scale); r != nil {
			return it, r
		}
	}
	for metric, path := range map[string][]string{"mock": {"mock"}, "moving": {"is_moving"}, "charging": {"battery", "is_charging"}} {
		if on, ok := object.Get(loc, path...).(bool); ok {
			x := 0.0
			if on {
				x = 1
			}
			if r := object.Add(&rd.Values, metric, x); r != nil {
				return it, r
			}
		}
	}
	return it, nil
}
