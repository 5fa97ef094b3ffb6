package live

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
	"haidang/ingest/latest"
)

// item is a device as the map shows it, encoded once for all clients.
type item struct {
	id    devices.ID
	dev   *devices.Device
	at    point
	fresh devices.Freshness
	json  json.RawMessage
	trail bbox // where it may have been told to be until now, and is
	// left is what the device was before somebody changed it: who might see that,
	// and may not see what it is, is told that it is gone.
	left *devices.Device
}

// place tells where a device is and how it does; false for one with no place.
// Its JSON costs the most, and is made only when asked for.
func (h *Hub) place(d *devices.Device, now time.Time, encode bool) (it item, ok bool) {
	interval, _ := h.Tracker.Held(d.ID, health.Expect(h.Registry, d))
	h.Tracker.Look(d.ID, func(s *latest.State) {
		pos := s.Position
		if pos == nil {
			pos = d.Position
		}
		if pos == nil {
			return
		}
		ok = true
		it = item{id: d.ID, dev: d, at: point{pos.Lat, pos.Lon}, fresh: devices.FreshnessAt(now, s.LastSeen, interval)}
		before := it.at.box() // where a snapshot may have shown it
		if d.Position != nil {
			before = before.with(point{d.Position.Lat, d.Position.Lon})
		}
		for _, p := range s.Tail {
			before = before.with(point{p.Lat, p.Lon})
		}
		it.trail = before
		if encode {
			it.json = appendItem(make([]byte, 0, 512), d, &it, s)
		}
	})
	return it, ok
}

// appendItem adds an item in JSON to b. "q" has the values that are not good.
func appendItem(b []byte, d *devices.Device, it *item, s *latest.State) []byte {
	b = appendString(append(b, `{"k":"d","id":`...), string(d.ID))
	b = appendString(append(b, `,"type":`...), string(d.Type))
	b = appendString(append(b, `,"name":`...), d.Name)
	b = appendNumber(append(b, `,"lat":`...), it.at.lat)
	b = appendNumber(append(b, `,"lon":`...), it.at.lon)
	b = appendString(append(b, `,"state":`...), string(it.fresh))
	conn := s.Connection
	if conn == "" {
		conn = "unknown"
	}
	b = appendString(append(b, `,"conn":`...), conn)
	for _, v := range [...]struct{ name, metric string }{{"course", "course_deg"}, {"speed", "speed_kn"}} {
		if n, ok := s.Values[v.metric]; ok && finite(n.Number) {
			b = appendNumber(appendName(b, v.name), n.Number)
		}
	}
	if s.LastFix != nil {
		b = appendTime(appendName(b, "ts"), s.LastFix.FixTime)
		b = appendTime(appendName(b, "seen"), s.LastSeen)
	}
	b = appendValues(b, s.Values)
	for i, p := range s.Tail {
		if i == 0 {
			b = append(appendName(b, "tail"), '[')
		} else {
			b = append(b, ',')
		}
		b = appendNumber(append(b, '['), p.Lon)
		b = append(appendNumber(append(b, ','), p.Lat), ']')
	}
	if len(s.Tail) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendValues(b []byte, values map[string]latest.LatestValue) []byte {
	n, bad := 0, 0
	for metric, v := range values {
		if !finite(v.Number) {
			continue // JSON has no word for it
		}
		if n++; n == 1 {
			b = append(appendName(b, "values"), '{')
		} else {
			b = append(b, ',')
		}
		b = appendNumber(append(appendString(b, metric), ':'), v.Number)
		if v.Quality != ingest.Good {
			bad++
		}
	}
	if n > 0 {
		b = append(b, '}')
	}
	if bad == 0 {
		return b
	}
	b = append(appendName(b, "q"), '{')
	first := true
	for metric, v := range values {
		if v.Quality == ingest.Good || !finite(v.Number) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(append(appendString(b, metric), ':'), v.Quality.String())
	}
	return append(b, '}')
}

func appendName(b []byte, name string) []byte {
	return append(append(append(b, `,"`...), name...), `":`...)
}

// appendString quotes; what needs escapes is for encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= 0x7f {
			q, _ := json.Marshal(s) // a string can always be
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendNumber(b []byte, f float64) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// places returns every device with a place inside box that may be seen; nil: all
// may.
func (h *Hub) places(box bbox, sees func(*devices.Device) bool) []item {
	now := time.Now()
	var items []item
	for _, d := range h.Registry.List(devices.Filter{}) {
		if sees != nil && !sees(d) {
			continue
		}
		if it, ok := h.place(d, now, false); ok && box.has(it.at) {
			items = append(items, it)
		}
	}
	return items
}

func (h *Hub) encode(items []item) []json.RawMessage {
	now := time.Now()
	out := make([]json.RawMessage, 0, len(items))
	for i := range items {
		d, ok := h.Registry.Get(items[i].id)
		if !ok {
			continue
		}
		if it, ok := h.place(d, now, true); ok {
			out = append(out, it.json)
		}
	}
	return out
}
