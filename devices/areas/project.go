package areas

import (
	"database/sql"

	"haidang/devices"
)

// Tally is how many things were counted in one version, at one place.
type Tally struct {
	Area  Ref
	Place *devices.Position // nil when it is not known
	N     float64
}

// ReadTallies reads and closes rows of ref, latitude, longitude and count, as
// stores count what they keep.
func ReadTallies(rows *sql.Rows) (ts []Tally, err error) {
	defer rows.Close()
	for rows.Next() {
		var t Tally
		var ref string
		var lat, lon *float64
		if err := rows.Scan(&ref, &lat, &lon, &t.N); err != nil {
			return nil, err
		}
		t.Area = ParseRef(ref)
		if lat != nil && lon != nil {
			t.Place = &devices.Position{Lat: *lat, Lon: *lon}
		}
		ts = append(ts, t)
	}
	return ts, rows.Err()
}

// Project brings counts to the map of a day: forward through what areas became,
// each by its share, backward through what they were made of. Backward, the
// parts of a merged area are taken in proportion to their shares, for how much
// of what is counted lies in which is not known; where things have a place,
// Count is exact. What has no successor falls to the area it lay in; what lies in
// none, to the empty Ref. The total stays the same.
func (s *Store) Project(counts map[Ref]float64, day Day) map[Ref]float64 {
	pr := s.projection(day)
	out := map[Ref]float64{}
	for ref, n := range counts {
		pr.add(out, ref, n)
	}
	return out
}

// Count brings tallies to the map of a day, as Project does; where that does not
// say for sure which area it is, the place does.
func (s *Store) Count(ts []Tally, day Day) map[Ref]float64 {
	pr := s.projection(day)
	out := map[Ref]float64{}
	for _, t := range ts {
		if t.Place != nil && !pr.sure(t.Area) {
			if v := pr.at(*t.Place, day); v != nil {
				out[v.Ref()] += t.N
				continue
			}
		}
		pr.add(out, t.Area, t.N)
	}
	return out
}

// projection is the way to the map of one day.
type projection struct {
	*index
	day  Day
	done map[Ref][]part
}

// part is the share of a version that a version of another day has.
type part struct {
	ref   Ref
	share float64
}

func (s *Store) projection(day Day) *projection { return s.now.Load().projection(day) }

func (x *index) projection(day Day) *projection { return &projection{x, day, map[Ref][]part{}} }

// traced is the version of a code that counts on a day or, when none does, the
// one area of that day in which the nearest version of the code is found whole;
// nil: there is none.
func (x *index) traced(code string, day Day) *Version {
	v := x.on(code, day)
	all := x.byCode[key(code)]
	if v != nil || len(all) == 0 {
		return v
	}
	v = all[0] // oldest first: the first that came later, or else the last that ended
	for _, w := range all {
		if w.endedBy(day) {
			v = w
		}
	}
	if parts := x.projection(day).spread(v); len(parts) == 1 {
		return x.byRef(parts[0].ref)
	}
	return nil
}

func (pr *projection) add(out map[Ref]float64, ref Ref, n float64) {
	for _, p := range pr.spread(pr.byRef(ref)) {
		out[p.ref] += n * p.share
	}
}

// sure says whether the whole of a version is found in one.
func (pr *projection) sure(ref Ref) bool {
	parts := pr.spread(pr.byRef(ref))
	return len(parts) == 1 && parts[0].ref != Ref{}
}

// spread says where a version is found on the map. A step forward never passes
// the day, nor does one back, so that it ends.
func (pr *projection) spread(v *Version) []part {
	switch {
	case v == nil:
		return []part{{Ref{}, 1}}
	case v.On(pr.day):
		return []part{{v.Ref(), 1}}
	}
	if parts, known := pr.done[v.Ref()]; known {
		return parts
	}
	links, then := pr.next[v.Ref()], v.ValidTo.before()
	if v.ValidFrom > pr.day {
		links, then = pr.prev[v.Ref()], v.ValidFrom
	}
	var parts []part
	if len(links) == 0 {
		parts = pr.spread(pr.on(v.Parent, then))
	}
	whole := 0.0
	for _, l := range links {
		whole += l.share
	}
	for _, l := range links {
		for _, p := range pr.spread(l.Version) {
			parts = join(parts, part{p.ref, p.share * l.share / whole})
		}
	}
	pr.done[v.Ref()] = parts
	return parts
}

func join(parts []part, p part) []part {
	for i := range parts {
		if parts[i].ref == p.ref {
			parts[i].share += p.share
			return parts
		}
	}
	return append(parts, p)
}
