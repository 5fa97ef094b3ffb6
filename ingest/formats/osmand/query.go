package osmand

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// maxQuery bounds the query form, in bytes.
const maxQuery = 8192

// parameters are those of the query form with a meaning of their own.
var parameters = map[string]string{"speed": "speed_kn", "bearing": "course_deg", "heading": "course_deg", "altitude": "altitude_m", "accuracy": "accuracy_m", "hdop": "hdop", "batt": "battery_pct", "charge": "charging"}

// notValues are parameters that are read elsewhere or not kept.
var notValues = []string{"id", "deviceid", "timestamp", "lat", "lon", "location", "valid", "key", "cell", "wifi", "driverUniqueId", "notificationToken", "alarm"}

func (m *message) query(query string) (r *ingest.Refusal) {
	if len(query) > maxQuery {
		return object.Refuse("payload_too_large", "the query has more than %d bytes", maxQuery)
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return object.Refuse("query_invalid", "the query cannot be read: %.80s", err)
	}
	if plain, err := url.QueryUnescape(query); err == nil {
		if r := object.Encoding([]byte(plain)); r != nil {
			return r
		}
	}
	name := q.Get("id")
	if name == "" {
		name = q.Get("deviceid")
	}
	if name == "" {
		return object.Refuse("device_missing", "the query needs id=…")
	}
	if m.device, r = object.DeviceID("", name); r != nil {
		return r
	}
	if m.reading.FixTime, r = queryTime(q.Get("timestamp")); r != nil {
		return r
	}
	lat, lon := q.Get("lat"), q.Get("lon")
	if at := q.Get("location"); at != "" {
		lat, lon, _ = strings.Cut(at, ",")
	}
	if lat != "" || lon != "" {
		y, ok1 := object.Decimal(lat)
		x, ok2 := object.Decimal(lon)
		if !ok1 || !ok2 {
			return object.Refuse("position_invalid", "lat=%.20s and lon=%.20s are no position", lat, lon)
		}
		if valid := q.Get("valid"); valid == "" || valid == "true" || valid == "1" {
			m.place(y, x)
		}
	}
	m.alarm = q.Get("alarm")
	keys := make([]string, 0, len(q))
	for key := range q {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if n := len(q[key]); n != 1 {
			return object.Refuse("parameter_twice", "%.40s is given %d times", key, n)
		}
		if slices.Contains(notValues, key) {
			continue
		}
		if r := m.parameter(key, q[key][0]); r != nil {
			return r
		}
	}
	return nil
}

func (m *message) parameter(key, value string) *ingest.Refusal {
	metric, known := parameters[key]
	if !known {
		metric = key
	}
	x, ok := object.Decimal(value)
	switch {
	case ok:
	case value == "true":
		x = 1
	case value == "false":
		x = 0
	case known:
		return object.Refuse("number_invalid", "%s=%.40s is no number", key, value)
	default:
		return nil // text of a user's own
	}
	return m.add(metric, x)
}

// queryTime reads seconds (below 2^31), milliseconds, ISO 8601 or
// "yyyy-MM-dd HH:mm:ss" in UTC.
func queryTime(s string) (time.Time, *ingest.Refusal) {
	if s == "" {
		return time.Time{}, nil
	}
	if x, err := strconv.ParseInt(s, 10, 64); err == nil {
		if x < math.MaxInt32 {
			return object.Millis(float64(x) * 1000)
		}
		return object.Millis(float64(x))
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil && !at.IsZero() {
			return at.UTC().Truncate(time.Millisecond), nil
		}
	}
	return time.Time{}, object.Refuse("ts_invalid", "timestamp=%.40s is not a time: use seconds or milliseconds since 1970, or 2026-11-22T08:00:00Z", s)
}
