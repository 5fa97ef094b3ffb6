package areas

import (
	"errors"
	"fmt"
	"slices"

	"github.com/paulmach/orb"
)

// segment is one side of a border, a being the western end.
type segment struct{ a, b orb.Point }

// maxCompared bounds what looking for crossings may cost: a real coast of
// 50,000 points takes a tenth of it.
const maxCompared = 50_000_000

// checkCrossing says where two sides of a polygon, of one ring or of two,
// cross. Rings that only touch do not: coarse outlines do so where they narrow.
//
// The sides are taken from west to east, each compared with those that begin
// before it ends.
func checkCrossing(polygon orb.Polygon) error {
	var sides []segment
	for _, ring := range polygon {
		for i := 1; i < len(ring); i++ {
			a, b := ring[i-1], ring[i]
			if b[0] < a[0] {
				a, b = b, a
			}
			sides = append(sides, segment{a, b})
		}
	}
	slices.SortFunc(sides, func(x, y segment) int { return compare(x.a[0], y.a[0]) })
	compared := 0
	for i, s := range sides {
		for _, t := range sides[i+1:] {
			if t.a[0] > s.b[0] {
				break
			}
			if compared++; compared > maxCompared {
				return errors.New("the border is too intricate; simplify it")
			}
			if s.crosses(t) {
				return fmt.Errorf("the border crosses itself near longitude %.4f, latitude %.4f", t.a.Lon(), t.a.Lat())
			}
		}
	}
	return nil
}

// crosses says whether each of two sides has its ends on both sides of the
// other.
func (s segment) crosses(t segment) bool {
	if max(s.a[1], s.b[1]) <= min(t.a[1], t.b[1]) || max(t.a[1], t.b[1]) <= min(s.a[1], s.b[1]) {
		return false
	}
	return s.side(t.a)*s.side(t.b) < 0 && t.side(s.a)*t.side(s.b) < 0
}

// side is positive where p lies left of the way from a to b.
func (s segment) side(p orb.Point) float64 {
	return (s.b[0]-s.a[0])*(p[1]-s.a[1]) - (s.b[1]-s.a[1])*(p[0]-s.a[0])
}
