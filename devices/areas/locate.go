package areas

import (
	"fmt"
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

// Within says whether an area lies today in another, at any depth, or is it.
func (s *Store) Within(code, in string) bool {
	x, day := s.now.Load(), Today()
	v := x.on(code, day)
	return v != nil && x.within(v, in, day) || key(code) == key(in)
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
	return v.area(), true
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
