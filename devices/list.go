package devices

import (
	"maps"
	"slices"
	"strings"
)

// Filter narrows a list of devices. Zero members do not, but for Lives.
type Filter struct {
	Type TypeID
	Area string
	// Areas are codes, of which it serves any: an area and what lies in it.
	Areas []string
	// Lives are those asked for; without any, devices in service: Active.
	Lives  []Life
	Agency string
	// Vendor, Network, Cohort, Gateway and Label are as they are written.
	Vendor, Network, Cohort string
	Gateway                 ID
	Label                   string
	// Query is searched in id, name and serial number, without case and accents.
	Query string
}

// List returns matching devices by id.
func (r *Registry) List(f Filter) []*Device {
	m := f.matcher()
	candidates := r.current().candidates(&f)
	ds := make([]*Device, 0, len(candidates))
	for _, e := range candidates {
		if m.has(e) {
			ds = append(ds, &e.Device)
		}
	}
	return ds
}

// Count is how many devices match.
func (r *Registry) Count(f Filter) (n int) {
	m := f.matcher()
	for _, e := range r.current().candidates(&f) {
		if m.has(e) {
			n++
		}
	}
	return n
}

// AreasInUse are the codes of all areas that devices serve.
func (r *Registry) AreasInUse() []string { return slices.Collect(maps.Keys(r.current().byArea)) }

// matcher is a filter made ready to be asked a hundred thousand times.
type matcher struct {
	Filter
	query string
	areas map[string]bool
}

func (f Filter) matcher() matcher {
	if len(f.Lives) == 0 {
		f.Lives = []Life{Active}
	}
	m := matcher{Filter: f, query: strings.TrimSpace(Fold(f.Query)), areas: map[string]bool{}}
	for _, code := range f.Areas {
		m.areas[code] = true
	}
	return m
}

func (m *matcher) has(e *entry) bool {
	return slices.Contains(m.Lives, e.Life) &&
		(m.Type == "" || e.Type == m.Type) && (m.Area == "" || e.Area == m.Area) && (len(m.areas) == 0 || m.areas[e.Area]) &&
		(m.Agency == "" || e.Agency == m.Agency) && (m.Vendor == "" || e.Vendor == m.Vendor) && (m.Network == "" || e.Network == m.Network) &&
		(m.Cohort == "" || e.Cohort == m.Cohort) && (m.Gateway == "" || e.Gateway == m.Gateway) && (m.Label == "" || slices.Contains(e.Labels, m.Label)) &&
		(m.query == "" || strings.Contains(e.folded, m.query))
}

// index is all devices by id, and by what lists are asked for most. It is never
// changed, but followed by another.
type index struct {
	all    []*entry
	byType groups[TypeID]
	byArea groups[string]
	byLife groups[Life]
}

// current is the index of all that was shown until now. Changes are rare and
// lists frequent, but a thousand changes at once shall not make it anew a
// thousand times: it is made when somebody asks.
func (r *Registry) current() *index {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index == nil || len(r.fresh) > 0 {
		if r.index == nil {
			r.index = &index{}
		}
		r.index, r.fresh = r.index.with(r.fresh), nil
	}
	return r.index
}

// with is the index after fresh, of which the last of an id counts.
func (ix *index) with(fresh []*entry) *index {
	slices.SortStableFunc(fresh, compareKeys)
	last := fresh[:0]
	for i, e := range fresh {
		if i+1 == len(fresh) || fresh[i+1].key != e.key {
			last = append(last, e)
		}
	}
	all := func(*entry) bool { return true }
	return &index{all: merge(ix.all, last, all),
		byType: ix.byType.with(ix.all, last, func(e *entry) TypeID { return e.Type }),
		byArea: ix.byArea.with(ix.all, last, func(e *entry) string { return e.Area }),
		byLife: ix.byLife.with(ix.all, last, func(e *entry) Life { return e.Life })}
}

// groups are entries by id, by what they have in common.
type groups[K comparable] map[K][]*entry

// with is the groups after fresh. all is what they have until now.
func (g groups[K]) with(all, fresh []*entry, of func(*entry) K) groups[K] {
	touched := map[K][]*entry{}
	for _, e := range fresh {
		k := of(e)
		touched[k] = append(touched[k], e)
		if i, found := slices.BinarySearchFunc(all, e, compareKeys); found {
			if was := of(all[i]); was != k {
				touched[was] = append(touched[was], e)
			}
		}
	}
	next := maps.Clone(g)
	if next == nil {
		next = groups[K]{}
	}
	for k, es := range touched {
		next[k] = merge(next[k], es, func(e *entry) bool { return of(e) == k })
	}
	return next
}

// merge is old with fresh, both by id. Of one id the fresh one stands, if it
// belongs.
func merge(old, fresh []*entry, belongs func(*entry) bool) []*entry {
	out := make([]*entry, 0, len(old)+len(fresh))
	for _, e := range fresh {
		n, found := slices.BinarySearchFunc(old, e, compareKeys)
		out = append(out, old[:n]...)
		if belongs(e) {
			out = append(out, e)
		}
		if found {
			n++
		}
		old = old[n:]
	}
	return append(out, old...)
}

// candidates are few entries among which are all that match, by id.
func (ix *index) candidates(f *Filter) []*entry {
	least := ix.all
	take := func(es []*entry) {
		if len(es) < len(least) {
			least = es
		}
	}
	if f.Type != "" {
		take(ix.byType[f.Type])
	}
	if f.Area != "" {
		take(ix.byArea[f.Area])
	}
	if len(f.Areas) == 1 {
		take(ix.byArea[f.Areas[0]])
	}
	switch len(f.Lives) {
	case 0:
		take(ix.byLife[Active])
	case 1:
		take(ix.byLife[f.Lives[0]])
	}
	return least
}
