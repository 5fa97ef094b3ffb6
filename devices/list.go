package devices

import (
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
	var ds []*Device
	m := f.matcher()
	for _, e := range r.current().candidates(&f) {
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

// matcher is a filter made ready to be asked a hundred thousand times.
type matcher struct {
	Filter
	query string
}

func (f Filter) matcher() matcher {
	if len(f.Lives) == 0 {
		f.Lives = []Life{Active}
	}
	return matcher{f, strings.TrimSpace(Fold(f.Query))}
}

func (m *matcher) has(e *entry) bool {
	return slices.Contains(m.Lives, e.Life) &&
		(m.Type == "" || e.Type == m.Type) && (m.Area == "" || e.Area == m.Area) && (len(m.Areas) == 0 || slices.Contains(m.Areas, e.Area)) &&
		(m.Agency == "" || e.Agency == m.Agency) && (m.Vendor == "" || e.Vendor == m.Vendor) && (m.Network == "" || e.Network == m.Network) &&
		(m.Cohort == "" || e.Cohort == m.Cohort) && (m.Gateway == "" || e.Gateway == m.Gateway) && (m.Label == "" || slices.Contains(e.Labels, m.Label)) &&
		(m.query == "" || strings.Contains(e.folded, m.query))
}

// index is all devices by id, and by what lists are asked for most. It is never
// changed, but followed by another.
type index struct {
	all    []*entry
	byType map[TypeID][]*entry
	byArea map[string][]*entry
	byLife map[Life][]*entry
}

// current is the index of all that was shown until now. Changes are rare and
// lists frequent, but a thousand changes at once shall not make it anew a
// thousand times: it is made when somebody asks.
func (r *Registry) current() *index {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index == nil || len(r.fresh) > 0 {
		var old []*entry
		if r.index != nil {
			old = r.index.all
		}
		r.index, r.fresh = newIndex(merge(old, r.fresh)), nil
	}
	return r.index
}

// merge is old, which is sorted, with fresh, of which the last of an id counts.
func merge(old, fresh []*entry) []*entry {
	slices.SortStableFunc(fresh, compareKeys)
	all := make([]*entry, 0, len(old)+len(fresh))
	for i, e := range fresh {
		if i+1 < len(fresh) && fresh[i+1].key == e.key {
			continue
		}
		n, found := slices.BinarySearchFunc(old, e, compareKeys)
		all = append(append(all, old[:n]...), e)
		if found {
			n++
		}
		old = old[n:]
	}
	return append(all, old...)
}

func newIndex(all []*entry) *index {
	ix := &index{all: all, byType: map[TypeID][]*entry{}, byArea: map[string][]*entry{}, byLife: map[Life][]*entry{}}
	for _, e := range all {
		ix.byType[e.Type] = append(ix.byType[e.Type], e)
		ix.byArea[e.Area] = append(ix.byArea[e.Area], e)
		ix.byLife[e.Life] = append(ix.byLife[e.Life], e)
	}
	return ix
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
