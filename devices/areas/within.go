package areas

import "sync"

// lies remembers what lies in what on the map of one day: rights within an area
// ask it of each of a hundred thousand devices.
type lies struct {
	x   *index
	day Day
	in  sync.Map // pair → bool
}

// pair is an area and one that it may lie in.
type pair struct{ code, in string }

// Within says whether an area lies today in another, at any depth, or is it. One
// that ended lies where all of it went.
func (s *Store) Within(code, in string) bool {
	x, day, m := s.now.Load(), Today(), s.lies.Load()
	if m == nil || m.x != x || m.day != day {
		m = &lies{x: x, day: day}
		s.lies.Store(m)
	}
	p := pair{code, in}
	if yes, known := m.in.Load(p); known {
		return yes.(bool)
	}
	v := x.traced(code, day)
	yes := v != nil && x.within(v, in, day) || key(code) == key(in)
	if has(x, code) && has(x, in) { // there are only so many
		m.in.Store(p, yes)
	}
	return yes
}

// has says whether an area is written so.
func has(x *index, code string) bool {
	vs := x.byCode[key(code)]
	return len(vs) > 0 && vs[0].Code == code
}
