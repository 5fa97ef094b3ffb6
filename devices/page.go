package devices

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// Sort is an order of a list.
type Sort string

// The orders. Devices that are equal in it follow by id.
const (
	ByID       Sort = "id"
	ByName     Sort = "name"
	ByLastSeen Sort = "last_seen" // the newest first; those that never spoke last
)

// Query asks for a page of a list.
type Query struct {
	Filter
	Sort Sort // ByID when it is empty
	// Descending turns ByID and ByName round; ByLastSeen gives the oldest first.
	Descending bool
	// State narrows to devices that StateOf says it of; empty does not.
	State   Freshness
	StateOf func(*Device) Freshness
	// Sees narrows to devices that it says yes to; nil does not.
	Sees     func(*Device) bool
	LastSeen func(ID) time.Time // for ByLastSeen
	// After is the cursor of the page before.
	After string
	Limit int
}

// Page is a part of a list.
type Page struct {
	Devices []*Device
	// Total is how many match, on all pages.
	Total int
	// Next is the cursor of the page that follows; empty: there is none.
	Next string
}

// place is where an entry stands in the order that is asked for.
type place struct {
	*entry
	seen int64 // ns since 1970; 0: never
}

// Page returns devices that match q. What changes between two pages may be
// missed or be there twice; nothing else is.
func (r *Registry) Page(q Query) (Page, error) {
	after, err := q.cursor()
	if err != nil {
		return Page{}, err
	}
	m := q.matcher()
	var best []place // full says that the first most are in order; what follows is yet to be put in
	p, most, full := Page{}, q.Limit+1, false
	settle := func() {
		slices.SortFunc(best, q.compare)
		best = best[:min(len(best), most)]
		full = len(best) == most
	}
	candidates := r.current().candidates(&q.Filter)
	for i := range candidates {
		if q.Sort.byID() && q.Descending {
			i = len(candidates) - 1 - i
		}
		e := candidates[i]
		if !m.has(e) || q.Sees != nil && !q.Sees(&e.Device) || q.State != "" && q.StateOf(&e.Device) != q.State {
			continue
		}
		p.Total++
		x := place{entry: e}
		if q.Sort == ByLastSeen {
			if t := q.LastSeen(e.ID); !t.IsZero() {
				x.seen = t.UnixNano()
			}
		}
		switch {
		case after != nil && q.compare(x, *after) <= 0:
		case q.Sort.byID():
			if len(best) < most { // they come in order
				best = append(best, x)
			}
		case full && q.compare(x, best[most-1]) > 0: // behind what is on the page
		default:
			if best = append(best, x); len(best) >= 4*most {
				settle()
			}
		}
	}
	if !q.Sort.byID() {
		settle()
	}
	if len(best) > q.Limit {
		best = best[:q.Limit]
		p.Next = q.cursorOf(best[q.Limit-1])
	}
	p.Devices = make([]*Device, len(best))
	for i, x := range best {
		p.Devices[i] = &x.Device
	}
	return p, nil
}

func (s Sort) byID() bool { return s == "" || s == ByID }

// compare says which of two stands first.
func (q *Query) compare(a, b place) int {
	c := 0
	switch q.Sort {
	case ByName:
		c = strings.Compare(a.name, b.name)
	case ByLastSeen:
		switch {
		case a.seen > b.seen:
			c = -1
		case a.seen < b.seen:
			c = 1
		}
	}
	if c == 0 {
		c = strings.Compare(a.key, b.key)
	}
	if q.Descending {
		return -c
	}
	return c
}

// cursorOf says where a page ends: by id it is the id, in other orders what they
// go by and the id.
func (q *Query) cursorOf(x place) string {
	var b []byte
	switch q.Sort {
	case ByName:
		b = append(b, x.name...)
	case ByLastSeen:
		b = binary.BigEndian.AppendUint64(b, uint64(x.seen))
	default:
		return string(x.ID)
	}
	return base64.RawURLEncoding.EncodeToString(append(append(b, '\n'), x.key...))
}

// cursor reads where the page before ended; nil: there was none.
func (q *Query) cursor() (*place, error) {
	if q.After == "" {
		return nil, nil
	}
	wrong := &FieldError{"cursor", "this cursor was not given out by this list in this order"}
	if q.Sort.byID() {
		return &place{entry: &entry{key: strings.ToLower(q.After)}}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.After)
	at := strings.LastIndexByte(string(b), '\n')
	if err != nil || at < 0 {
		return nil, wrong
	}
	x := &place{entry: &entry{key: string(b[at+1:])}}
	if q.Sort == ByName {
		x.name = string(b[:at])
		return x, nil
	}
	if at != 8 {
		return nil, wrong
	}
	x.seen = int64(binary.BigEndian.Uint64(b[:8]))
	return x, nil
}
