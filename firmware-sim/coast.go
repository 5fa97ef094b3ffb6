package firmwaresim

import "math"

// position is latitude and longitude in degrees.
type position struct{ lat, lon float64 }

// The sea off Quảng Bình in which the fleet works.
const (
	seaSouth, seaNorth = 17.0, 18.5
	seaEast            = 108.5
	seaWest            = 106.4
)

// coastline is the shore from south to north after Natural Earth's 1:10m, a
// kilometre to seaward, so that a track east of it is in the water on the map.
var coastline = []position{
	{16.90, 107.235}, {17.00, 107.160}, {17.08, 107.128}, {17.20, 106.970}, {17.33, 106.785}, {17.42, 106.700},
	{17.487, 106.640}, {17.55, 106.605}, {17.60, 106.575}, {17.65, 106.540}, {17.706, 106.505}, {17.75, 106.480},
	{17.80, 106.475}, {17.84, 106.460}, {17.88, 106.465}, {17.92, 106.510}, {17.95, 106.540}, {17.98, 106.520},
	{18.02, 106.480}, {18.07, 106.445}, {18.12, 106.445}, {18.16, 106.400}, {18.20, 106.290}, {18.50, 106.000},
}

// shore gives the longitude of the coast at a latitude.
func shore(lat float64) float64 {
	for i := 1; i < len(coastline); i++ {
		a, b := coastline[i-1], coastline[i]
		if lat <= b.lat {
			return a.lon + (b.lon-a.lon)*(lat-a.lat)/(b.lat-a.lat)
		}
	}
	return coastline[len(coastline)-1].lon
}

// afloat moves a position that would be on land or out of the working area
// to the nearest water on its own latitude.
func afloat(p position) position {
	p.lat = clamp(p.lat, seaSouth, seaNorth)
	p.lon = clamp(p.lon, max(shore(p.lat), seaWest), seaEast)
	return p
}

const nauticalMile = 1.0 / 60 // degrees of latitude

// distance is in nautical miles; the sea is small enough for a flat one.
func distance(a, b position) float64 {
	north := (b.lat - a.lat) / nauticalMile
	east := (b.lon - a.lon) / nauticalMile * math.Cos(a.lat*math.Pi/180)
	return math.Hypot(north, east)
}

// bearing is the course from a to b in degrees, 0 north, 90 east.
func bearing(a, b position) float64 {
	east := (b.lon - a.lon) * math.Cos(a.lat*math.Pi/180)
	deg := math.Atan2(east, b.lat-a.lat) * 180 / math.Pi
	return math.Mod(deg+360, 360)
}

func between(a, b position, part float64) position {
	return position{a.lat + (b.lat-a.lat)*part, a.lon + (b.lon-a.lon)*part}
}
