package areas

import (
	"cmp"
	"slices"
	"strings"

	"haidang/devices"
)

// Filter narrows a list. Zero members do not.
type Filter struct {
	// Day is the map that is listed; empty means today's.
	Day Day
	// Query is searched in type, name and code, without case and accents. What
	// has such a name on another day is found by what it is on this one.
	Query  string
	Parent string // its code
	Top    bool   // only what lies in no other
	Type   Type
	// After gives only areas whose code comes later: the next page.
	After string
	Limit int // at most 1,000; 0 means 200
}

// Found is an area of a list.
type Found struct {
	*Version
	// Was is the version of another day that the search found; nil when the
	// area has the name itself.
	Was *Version
}

// List returns areas by code; next is the code to go on after, empty at the end.
func (s *Store) List(f Filter) (items []Found, next string) {
	limit := f.Limit
	if limit <= 0 {
		limit = 200
	}
	limit = min(limit, 1000)
	day := cmp.Or(f.Day, Today())
	pr := s.projection(day)
	after := key(f.After)
	for _, found := range pr.matching(strings.TrimSpace(devices.Fold(f.Query))) {
		v := found.Version
		if f.After != "" && key(v.Code) <= after || f.Parent != "" && key(v.Parent) != key(f.Parent) || f.Top && v.Parent != "" || f.Type != "" && v.Type != f.Type {
			continue
		}
		if len(items) == limit {
			return items, items[limit-1].Code
		}
		items = append(items, found)
	}
	return items, ""
}

// matching are the areas of the day whose name has q, now or on another day, by
// code.
func (pr *projection) matching(q string) (out []Found) {
	was := map[*Version]*Version{}
	for _, v := range pr.all {
		if !strings.Contains(pr.texts[v], q) {
			continue
		}
		if v.On(pr.day) {
			was[v] = nil
			continue
		}
		if q == "" {
			continue // all of the day are there already
		}
		for _, p := range pr.spread(v) {
			is := pr.byRef(p.ref)
			if _, listed := was[is]; is != nil && !listed {
				was[is] = v
			}
		}
	}
	for v, old := range was {
		out = append(out, Found{v, old})
	}
	slices.SortFunc(out, func(a, b Found) int { return strings.Compare(key(a.Code), key(b.Code)) })
	return out
}
