package live

import (
	"cmp"
	"encoding/json"
	"math"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/latest"
)

// item is a device as the map shows it, encoded once for all clients.
type item struct {
	id               string
	lat, lon         float64
	fromLat, fromLon float64 // where it was told to be before
	fresh            devices.Freshness
	device           *devices.Device
	state            latest.State
	json             json.RawMessage
}

// mapItem is its JSON.
type mapItem struct {
	Kind   string             `json:"k"`
	ID     devices.ID         `json:"id"`
	Type   devices.TypeID     `json:"type"`
	Name   string             `json:"name"`
	Lat    float64            `json:"lat"`
	Lon    float64            `json:"lon"`
	State  devices.Freshness  `json:"state"`
	Conn   string             `json:"conn"`
	Course *float64           `json:"course,omitempty"`
	Speed  *float64           `json:"speed,omitempty"`
	TS     *time.Time         `json:"ts,omitempty"`
	Seen   *time.Time         `json:"seen,omitempty"`
	Values map[string]float64 `json:"values,omitempty"`
	// Quality has the values that are not good.
	Quality map[string]string `json:"q,omitempty"`
	Tail    [][2]float64      `json:"tail,omitempty"`
}

// place tells where a device is and how it does; false for one with no place.
func (h *Hub) place(id devices.ID, now time.Time) (item, bool) {
	d, ok := h.Registry.Get(id)
	if !ok {
		return item{}, false
	}
	s, _ := h.Tracker.Get(id)
	pos := s.Position
	if pos == nil {
		pos = d.Position
	}
	if pos == nil {
		return item{}, false
	}
	fresh := devices.FreshnessAt(now, s.LastSeen, h.Registry.Interval(d))
	return item{id: string(d.ID), lat: pos.Lat, lon: pos.Lon, fresh: fresh, device: d, state: s}, true
}

// encode is the costly part, which clusters do without.
func (it *item) encode() json.RawMessage {
	s := &it.state
	m := mapItem{Kind: "d", ID: it.device.ID, Type: it.device.Type, Name: it.device.Name, Lat: it.lat, Lon: it.lon, State: it.fresh,
		Conn: cmp.Or(s.Connection, "unknown"), Values: make(map[string]float64, len(s.Values))}
	if s.LastFix != nil {
		m.TS, m.Seen = &s.LastFix.FixTime, &s.LastSeen
	}
	for k, v := range s.Values {
		m.Values[k] = v.Number
		if v.Quality != ingest.Good {
			if m.Quality == nil {
				m.Quality = map[string]string{}
			}
			m.Quality[k] = v.Quality.String()
		}
	}
	if v, ok := m.Values["course_deg"]; ok {
		m.Course = &v
	}
	if v, ok := m.Values["speed_kn"]; ok {
		m.Speed = &v
	}
	for _, p := range s.Tail {
		m.Tail = append(m.Tail, [2]float64{p.Lon, p.Lat})
	}
	b, err := json.Marshal(m)
	if err != nil { // a number that JSON has no word for: the device stays, without values
		m.Values, m.Course, m.Speed = nil, nil, nil
		b, _ = json.Marshal(m)
	}
	return b
}

// places returns every device with a place inside box.
func (h *Hub) places(box bbox) []item {
	now := time.Now()
	var items []item
	for _, d := range h.Registry.List(devices.Filter{}) {
		if it, ok := h.place(d.ID, now); ok && box.has(it.lat, it.lon) {
			items = append(items, it)
		}
	}
	return items
}

func (h *Hub) encode(items []item) []json.RawMessage {
	out := make([]json.RawMessage, len(items))
	for i := range items {
		out[i] = items[i].encode()
	}
	return out
}

// bbox is west, south, east, north in degrees.
type bbox [4]float64

func (b bbox) has(lat, lon float64) bool {
	return lon >= b[0] && lat >= b[1] && lon <= b[2] && lat <= b[3]
}

// Below clusterZoom, and with more than clusterOver devices in view, a client
// gets clusters: what a wall costs does not grow with the fleet.
const (
	clusterZoom = 8
	clusterOver = 500
)

// clusters gathers items on a grid of about 48 screen pixels.
func clusters(items []item, zoom float64) []json.RawMessage {
	type cluster struct {
		Kind   string  `json:"k"`
		ID     string  `json:"id"`
		Lat    float64 `json:"lat"`
		Lon    float64 `json:"lon"`
		N      int     `json:"n"`
		Live   int     `json:"live"`
		Late   int     `json:"late"`
		Silent int     `json:"silent"`
		Never  int     `json:"never"`
	}
	cell := 48 * 360 / (512 * math.Pow(2, zoom))
	cells := map[[2]int]*cluster{}
	var order []*cluster
	for _, it := range items {
		key := [2]int{int(math.Floor(it.lon / cell)), int(math.Floor(it.lat / cell))}
		c := cells[key]
		if c == nil {
			id, _ := json.Marshal(key)
			c = &cluster{Kind: "c", ID: string(id)}
			cells[key] = c
			order = append(order, c)
		}
		c.N++
		c.Lat += (it.lat - c.Lat) / float64(c.N)
		c.Lon += (it.lon - c.Lon) / float64(c.N)
		switch it.fresh {
		case devices.Live:
			c.Live++
		case devices.Late:
			c.Late++
		case devices.Silent:
			c.Silent++
		default:
			c.Never++
		}
	}
	out := make([]json.RawMessage, 0, len(order))
	for _, c := range order {
		b, _ := json.Marshal(c)
		out = append(out, b)
	}
	return out
}
