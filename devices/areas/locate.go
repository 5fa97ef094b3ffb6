package areas

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"haidang/devices"
)

// Locate says in which version of which area something was at a time: the
// deepest that holds the place, or, when nothing does, the one of the code that
// the thing is registered in. Where the registered one lies within the one that
// is found, it is the more exact and counts. A code that did not count on that day
// stands for the one area of the day that it came from whole, or went into.
// Either may be missing; known is false when neither tells.
func (s *Store) Locate(place *devices.Position, code string, at time.Time) (ref Ref, known bool) {
	x, day := s.now.Load(), DayOf(at)
	registered := x.traced(code, day)
	if place != nil {
		if found := x.at(*place, day); found != nil && (registered == nil || !x.within(registered, found.Code, day)) {
			return found.Ref(), true
		}
	}
	if registered == nil {
		return Ref{}, false
	}
	return registered.Ref(), true
}

// At is the deepest area whose border holds a place on a day.
func (s *Store) At(place devices.Position, day Day) (*Version, bool) {
	v := s.now.Load().at(place, day)
	return v, v != nil
}

// Get returns the version of a code that counts on a day, or
// devices.ErrNotFound.
func (s *Store) Get(code string, day Day) (*Version, error) {
	x := s.now.Load()
	if v := x.on(code, day); v != nil {
		return v, nil
	}
	if n := len(x.byCode[key(code)]); n > 0 {
		return nil, fmt.Errorf("area %.60q is there, but not on %s: %w", code, day, devices.ErrNotFound)
	}
	return nil, fmt.Errorf("area %.60q: %w", code, devices.ErrNotFound)
}

// Named returns the version that a ref names.
func (s *Store) Named(r Ref) (*Version, bool) {
	v := s.now.Load().byRef(r)
	return v, v != nil
}

// Versions are all of one code, oldest first.
func (s *Store) Versions(code string) []*Version { return s.now.Load().byCode[key(code)] }

// Ancestors are the areas that one lies in on a day, nearest first.
func (s *Store) Ancestors(v *Version, day Day) []*Version { return s.now.Load().ancestors(v, day) }

// Children are the areas that lie in one on a day, by code.
func (s *Store) Children(code string, day Day) (down []*Version) {
	for _, v := range s.now.Load().children[key(code)] {
		if v.On(day) {
			down = append(down, v)
		}
	}
	return down
}

// Successor is an area that a share of another went into.
type Successor struct {
	Code  string  `json:"code"`
	Name  string  `json:"name"`
	From  Day     `json:"valid_from"`
	Share float64 `json:"share"`
	Kind  string  `json:"kind"`
}

// Successors are what became of a version when it ended.
func (s *Store) Successors(v *Version) (out []Successor) {
	for _, l := range s.now.Load().next[v.Ref()] {
		out = append(out, Successor{l.Code, l.Name, l.ValidFrom, l.share, l.kind})
	}
	return out
}

// Areas are those of today, as the registry of devices shows them.
func (s *Store) Areas() []devices.Area {
	day := Today()
	var as []devices.Area
	for _, v := range s.now.Load().all {
		if v.On(day) {
			as = append(as, v.area())
		}
	}
	return as
}

// Area finds the area of a code as it is today, or as it last was.
func (s *Store) Area(code string) (devices.Area, bool) {
	x := s.now.Load()
	v := x.on(code, Today())
	if all := x.byCode[key(code)]; v == nil && len(all) > 0 {
		v = all[len(all)-1]
	}
	if v == nil || v.Code != code {
		return devices.Area{}, false
	}
	a := v.area()
	a.Closed = x.closed(v, Today())
	return a, true
}

// closed says why a version takes no new device on a day; empty: it does.
func (x *index) closed(v *Version, day Day) string {
	switch {
	case v.On(day):
		return ""
	case !v.endedBy(day):
		return fmt.Sprintf("%s (%s) counts from %s on; not yet", v.Name, v.Code, v.ValidFrom.vietnamese())
	}
	var heirs []string
	for _, h := range x.heirs(v.Code, day) {
		heirs = append(heirs, fmt.Sprintf("%s (%s)", h.Name, h.Code))
	}
	if len(heirs) == 0 {
		return fmt.Sprintf("%s (%s) ended on %s, and no successor of it is known", v.Name, v.Code, v.ValidTo.vietnamese())
	}
	return fmt.Sprintf("%s (%s) ended on %s; now it is %s", v.Name, v.Code, v.ValidTo.vietnamese(), strings.Join(heirs, " or "))
}

// heirs are the areas of a day in which the last version of a code is found;
// those with the largest share first.
func (x *index) heirs(code string, day Day) (out []*Version) {
	all := x.byCode[key(code)]
	if len(all) == 0 {
		return nil
	}
	parts := slices.Clone(x.projection(day).spread(all[len(all)-1]))
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.share, a.share) })
	for _, p := range parts {
		if v := x.byRef(p.ref); v != nil {
			out = append(out, v)
		}
	}
	return out
}

// Heir says which area of today something belongs to that is registered in one
// that ended: the one that it went into, or the one within that which holds the
// place. Where it went into several, the place has to tell. Nil: that is not
// known; why says it in a sentence, and known are the areas that come into
// question.
func (s *Store) Heir(code string, place *devices.Position) (to *Version, known []*Version, why string) {
	x, day := s.now.Load(), Today()
	known = x.heirs(code, day)
	var found *Version
	if place != nil {
		found = x.at(*place, day)
	}
	for _, h := range known {
		if found != nil && x.within(found, h.Code, day) {
			return found, known, ""
		}
	}
	switch {
	case len(known) == 0:
		return nil, nil, "no successor is known"
	case len(known) == 1:
		return known[0], known, ""
	case place == nil:
		return nil, known, "it became several areas, and where the device is, is not known"
	case found == nil:
		return nil, known, "it became several areas, and the device's place lies in none that is known by its border"
	}
	return nil, known, fmt.Sprintf("it became several areas, and the device's place lies in %s (%s), which is none of them", found.Name, found.Code)
}

func (v *Version) area() devices.Area {
	a := devices.Area{Code: v.Code, Name: v.Name, NameEN: v.NameEN, Kind: "area"}
	if v.Type == Sea {
		a.Kind = "sea"
	}
	if p := v.Place(); p != nil {
		a.Centre = *p
	}
	return a
}
