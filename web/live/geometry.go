package live

// point is a place in degrees.
type point struct{ lat, lon float64 }

// bbox is west, south, east, north in degrees, edges included.
type bbox [4]float64

var world = bbox{-180, -90, 180, 90}

func (p point) box() bbox { return bbox{p.lon, p.lat, p.lon, p.lat} }

func (b bbox) has(p point) bool {
	return p.lon >= b[0] && p.lat >= b[1] && p.lon <= b[2] && p.lat <= b[3]
}

// with is the smallest box that has b and p.
func (b bbox) with(p point) bbox {
	return bbox{min(b[0], p.lon), min(b[1], p.lat), max(b[2], p.lon), max(b[3], p.lat)}
}

// and is the smallest box that has both.
func (b bbox) and(o bbox) bbox {
	return bbox{min(b[0], o[0]), min(b[1], o[1]), max(b[2], o[2]), max(b[3], o[3])}
}

// meets says whether two boxes have a point in common.
func (b bbox) meets(o bbox) bool {
	return b[0] <= o[2] && o[0] <= b[2] && b[1] <= o[3] && o[1] <= b[3]
}
