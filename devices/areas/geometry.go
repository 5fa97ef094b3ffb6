package areas

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// What coordinates may be: Vietnam with its seas and islands.
const (
	west, south, east, north = 100, 4, 121, 24
	maxRing                  = 50_000
)

// parseGeometry reads a GeoJSON geometry; null is none. The error is a sentence
// for a person.
func parseGeometry(raw json.RawMessage) (orb.MultiPolygon, error) {
	var g *struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, errors.New("the geometry is not one of GeoJSON")
	}
	if g == nil {
		return nil, nil
	}
	var polygons [][][][]float64
	var err error
	switch g.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &polygons)
	default:
		return nil, fmt.Errorf("an area is a Polygon or a MultiPolygon, not a %.20q", g.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the coordinates are not those of a %s", g.Type)
	}
	mp := make(orb.MultiPolygon, len(polygons))
	for i, rings := range polygons {
		mp[i] = make(orb.Polygon, len(rings))
		for j, points := range rings {
			mp[i][j] = make(orb.Ring, len(points))
			for k, p := range points {
				if len(p) < 2 {
					return nil, errors.New("a position is a longitude and a latitude")
				}
				mp[i][j][k] = orb.Point{p[0], p[1]}
			}
		}
	}
	return mp, checkGeometry(mp)
}

// checkGeometry says in a sentence what is wrong with a border.
func checkGeometry(mp orb.MultiPolygon) error {
	if len(mp) == 0 {
		return errors.New("the geometry has no polygon")
	}
	for _, polygon := range mp {
		if len(polygon) == 0 {
			return errors.New("a polygon has no ring")
		}
		for _, ring := range polygon {
			if err := checkRing(ring); err != nil {
				return err
			}
		}
		// Before what a ring encloses: the loops of one that crosses itself may
		// cancel each other out.
		if err := checkCrossing(polygon); err != nil {
			return err
		}
		for _, ring := range polygon {
			if planar.Area(ring) == 0 {
				return errors.New("a ring encloses nothing")
			}
		}
	}
	return nil
}

func checkRing(ring orb.Ring) error {
	for _, p := range ring {
		if err := checkPoint(p); err != nil {
			return err
		}
	}
	switch {
	case len(ring) < 4:
		return fmt.Errorf("a ring has at least 4 points, not %d", len(ring))
	case len(ring) > maxRing:
		return fmt.Errorf("a ring has at most %d points, not %d; simplify the border", maxRing, len(ring))
	case ring[0] != ring[len(ring)-1]:
		return fmt.Errorf("a ring is not closed: it begins at %g, %g and ends at %g, %g", ring[0].Lon(), ring[0].Lat(), ring[len(ring)-1].Lon(), ring[len(ring)-1].Lat())
	}
	return nil
}

func checkPoint(p orb.Point) error {
	within := func(lon, lat float64) bool { return west <= lon && lon <= east && south <= lat && lat <= north }
	lon, lat := p[0], p[1]
	switch {
	case within(lon, lat):
		return nil
	case within(lat, lon):
		return fmt.Errorf("longitude %g and latitude %g look swapped; in GeoJSON the longitude comes first", lon, lat)
	case max(lon, lat, -lon, -lat) > 360:
		return fmt.Errorf("%g, %g are no degrees; bring the data from its projection (VN-2000?) to WGS 84", lon, lat)
	}
	return fmt.Errorf("longitude %g, latitude %g is not in Vietnam", lon, lat)
}

func points(mp orb.MultiPolygon) (n int) {
	for _, polygon := range mp {
		for _, ring := range polygon {
			n += len(ring)
		}
	}
	return n
}

// size says in words how large a border is, for lists of changes.
func size(mp orb.MultiPolygon) string {
	if mp == nil {
		return ""
	}
	return fmt.Sprintf("%d polygons, %d points", len(mp), points(mp))
}
