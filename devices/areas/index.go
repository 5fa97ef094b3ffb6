package areas

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"haidang/devices"
)

// index is all versions, made ready to be asked. It is never changed: an import
// makes a new one.
type index struct {
	// revision counts the imports that made it so.
	revision int64
	all      []*Version // by code and time
	byCode   map[string][]*Version
	children map[string][]*Version // by the parent's code, every time
	cells    map[cell][]*border
	next     map[Ref][]link // to successors
	prev     map[Ref][]link // to predecessors
	texts    map[*Version]string
}

// link is the share of one version that went into another.
type link struct {
	*Version
	share float64
	kind  string
}

// cell is one of the squares that borders are found by, cellDegrees wide.
type cell struct{ x, y int16 }

const cellDegrees = 0.25

func cellOf(p orb.Point) cell {
	return cell{int16(math.Floor(p.Lon() / cellDegrees)), int16(math.Floor(p.Lat() / cellDegrees))}
}

type border struct {
	*Version
	bound orb.Bound
	size  float64 // square degrees: only to tell the smaller of two
}

// newIndex makes versions ready; they must have been checked, and not change.
func newIndex(versions []*Version, revision int64) *index {
	x := &index{revision: revision, all: versions, byCode: map[string][]*Version{}, children: map[string][]*Version{}, cells: map[cell][]*border{},
		next: map[Ref][]link{}, prev: map[Ref][]link{}, texts: map[*Version]string{}}
	slices.SortFunc(x.all, func(a, b *Version) int {
		return cmp.Or(strings.Compare(key(a.Code), key(b.Code)), strings.Compare(string(a.ValidFrom), string(b.ValidFrom)))
	})
	for _, v := range x.all {
		x.byCode[key(v.Code)] = append(x.byCode[key(v.Code)], v)
		if v.Parent != "" {
			x.children[key(v.Parent)] = append(x.children[key(v.Parent)], v)
		}
		x.texts[v] = devices.Fold(v.Type.Label().VI + " " + v.Name + "\n" + v.NameEN + "\n" + v.Code)
		x.place(v)
	}
	x.link()
	return x
}

func (x *index) place(v *Version) {
	if v.Geometry == nil {
		return
	}
	b := &border{v, v.Geometry.Bound(), planar.Area(v.Geometry)}
	low, high := cellOf(b.bound.Min), cellOf(b.bound.Max)
	for i := low.x; i <= high.x; i++ {
		for j := low.y; j <= high.y; j++ {
			x.cells[cell{i, j}] = append(x.cells[cell{i, j}], b)
		}
	}
}

// link ties versions to what they were made of. A version that ends when the
// next of its code begins, and that nobody names, went into that one whole.
func (x *index) link() {
	tie := func(old, v *Version, share float64, kind string) {
		x.next[old.Ref()] = append(x.next[old.Ref()], link{v, share, kind})
		x.prev[v.Ref()] = append(x.prev[v.Ref()], link{old, share, kind})
	}
	for _, v := range x.all {
		for _, p := range v.Predecessors {
			if old := x.endedOn(p.Code, v.ValidFrom); old != nil {
				tie(old, v, p.Share, cmp.Or(p.Kind, kindOf(v, p)))
			}
		}
	}
	for _, v := range x.all {
		old := x.endedOn(v.Code, v.ValidFrom)
		if old != nil && len(x.next[old.Ref()]) == 0 && len(v.Predecessors) == 0 {
			tie(old, v, 1, Continued)
		}
	}
}

func kindOf(v *Version, p Predecessor) string {
	switch {
	case p.Share < 1:
		return Split
	case len(v.Predecessors) > 1:
		return Merged
	}
	return Continued
}

// endedOn is the version of a code that ended on a day.
func (x *index) endedOn(code string, d Day) *Version {
	if d == "" {
		return nil
	}
	for _, v := range x.byCode[key(code)] {
		if v.ValidTo == d {
			return v
		}
	}
	return nil
}

// on is the version of a code that counts on a day.
func (x *index) on(code string, d Day) *Version {
	for _, v := range x.byCode[key(code)] {
		if v.On(d) {
			return v
		}
	}
	return nil
}

func (x *index) byRef(r Ref) *Version {
	for _, v := range x.byCode[key(r.Code)] {
		if v.ValidFrom == r.From {
			return v
		}
	}
	return nil
}

// maxDepth bounds a walk up the tree; checked trees are never so deep.
const maxDepth = 32

// ancestors are those a version lies in on a day, nearest first.
func (x *index) ancestors(v *Version, d Day) (up []*Version) {
	for p := x.on(v.Parent, d); p != nil && len(up) < maxDepth; p = x.on(p.Parent, d) {
		up = append(up, p)
	}
	return up
}

// at is the deepest area in whose border a point lies on a day; of two as deep,
// the smaller.
func (x *index) at(p devices.Position, d Day) *Version {
	pt := orb.Point{p.Lon, p.Lat}
	if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
		return nil
	}
	var best *border
	depth := -1
	for _, b := range x.cells[cellOf(pt)] {
		if !b.On(d) || !b.bound.Contains(pt) || !planar.MultiPolygonContains(b.Geometry, pt) {
			continue
		}
		if n := len(x.ancestors(b.Version, d)); n > depth || n == depth && b.size < best.size {
			best, depth = b, n
		}
	}
	if best == nil {
		return nil
	}
	return best.Version
}

// within says whether a version lies in the area of a code, or is it, on a day.
func (x *index) within(v *Version, code string, d Day) bool {
	if key(v.Code) == key(code) {
		return true
	}
	return slices.ContainsFunc(x.ancestors(v, d), func(a *Version) bool { return key(a.Code) == key(code) })
}
