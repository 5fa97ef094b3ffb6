package live

import (
	"encoding/json"
	"math"

	"haidang/devices"
)

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
		key := [2]int{int(math.Floor(it.at.lon / cell)), int(math.Floor(it.at.lat / cell))}
		c := cells[key]
		if c == nil {
			id, _ := json.Marshal(key)
			c = &cluster{Kind: "c", ID: string(id)}
			cells[key] = c
			order = append(order, c)
		}
		c.N++
		c.Lat += (it.at.lat - c.Lat) / float64(c.N)
		c.Lon += (it.at.lon - c.Lon) / float64(c.N)
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
