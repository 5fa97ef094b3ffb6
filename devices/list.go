package devices

import (
	"slices"
	"strings"
)

// Filter narrows a list of devices. Zero members do not.
type Filter struct {
	Type TypeID
	Area string
	// Query is searched in id and name, without case and accents.
	Query string
}

// listing is all devices by id, as of a count of changes.
type listing struct {
	changes uint64
	entries []*entry
}

// List returns matching devices by id.
func (r *Registry) List(f Filter) []*Device {
	q := strings.TrimSpace(Fold(f.Query))
	var ds []*Device
	for _, e := range r.all() {
		if (f.Type == "" || e.Type == f.Type) && (f.Area == "" || e.Area == f.Area) &&
			(q == "" || strings.Contains(e.folded, q)) {
			ds = append(ds, &e.Device)
		}
	}
	return ds
}

// all keeps the sorted devices until one changes: lists are asked for every
// second, changes are rare.
func (r *Registry) all() []*entry {
	// Counted before reading: a change in between only makes this list be
	// made once more.
	n := r.changes.Load()
	if l := r.ordered.Load(); l != nil && l.changes == n {
		return l.entries
	}
	var es []*entry
	r.byID.Range(func(_, v any) bool {
		es = append(es, v.(*entry))
		return true
	})
	slices.SortFunc(es, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
	r.ordered.Store(&listing{n, es})
	return es
}
