package journal

import (
	"slices"
	"sync"
	"time"

	"haidang/ingest"
)

// fresh is what the log has and the shelves do not yet, by device, packed; and
// how far in time each device has come, which tells most entries to be new
// without looking anywhere.
type fresh struct {
	mu       sync.RWMutex
	devices  map[uint64]*freshDevice
	count    int
	oldest   time.Time // when the oldest of it came; zero when there is none
	newestBy [3]map[uint64]int64
}

type freshDevice struct{ items []freshItem }

type freshItem struct {
	id   identity
	pos  ingest.Pos
	body []byte
}

func newFresh() *fresh {
	f := &fresh{devices: map[uint64]*freshDevice{}}
	for k := range f.newestBy {
		f.newestBy[k] = map[uint64]int64{}
	}
	return f
}

// add takes in what was committed.
func (f *fresh) add(first ingest.Pos, ps []packed, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range ps {
		d := f.devices[p.device]
		if d == nil {
			d = &freshDevice{}
			f.devices[p.device] = d
		}
		d.items = append(d.items, freshItem{p.id, first + ingest.Pos(i), p.body})
		f.advance(p.device, p.id)
	}
	if f.count == 0 {
		f.oldest = now
	}
	f.count += len(ps)
}

func (f *fresh) advance(dev uint64, id identity) {
	newest := f.newestBy[id.kind]
	if at, ok := newest[dev]; !ok || id.ts > at {
		newest[dev] = id.ts
	}
}

// isNewer says whether an entry is newer than all of its device; then it is not
// there yet. The caller appends, or holds mu.
func (f *fresh) isNewer(dev uint64, id identity) bool {
	at, ok := f.newestBy[id.kind][dev]
	return !ok || id.ts > at
}

// has says whether an entry is among the fresh ones. Entries come mostly in
// order of time, so it looks from the newest back.
func (f *fresh) has(dev uint64, id identity) bool {
	d := f.devices[dev]
	if d == nil {
		return false
	}
	for i := len(d.items) - 1; i >= 0; i-- {
		if d.items[i].id == id {
			return true
		}
	}
	return false
}

// of returns a device's fresh entries of one kind with from ≤ ts < to, up to a
// position, in order.
func (f *fresh) of(dev uint64, kind uint8, from, to int64, head ingest.Pos) []freshItem {
	f.mu.RLock()
	defer f.mu.RUnlock()
	d := f.devices[dev]
	if d == nil {
		return nil
	}
	var found []freshItem
	for _, it := range d.items {
		if it.id.kind == kind && it.id.ts >= from && it.id.ts < to && it.pos <= head {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b freshItem) int { return a.id.compare(b.id) })
	return found
}

// upTo returns all fresh entries up to a position, by device.
func (f *fresh) upTo(head ingest.Pos) map[uint64][]freshItem {
	f.mu.RLock()
	defer f.mu.RUnlock()
	all := make(map[uint64][]freshItem, len(f.devices))
	for dev, d := range f.devices {
		n := len(d.items)
		for n > 0 && d.items[n-1].pos > head {
			n--
		}
		if n > 0 {
			all[dev] = d.items[:n:n]
		}
	}
	return all
}

// forget drops what the shelves have now: everything up to a position.
func (f *fresh) forget(head ingest.Pos, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for dev, d := range f.devices {
		n := 0
		for n < len(d.items) && d.items[n].pos <= head {
			n++
		}
		f.count -= n
		if n == len(d.items) {
			delete(f.devices, dev)
			continue
		}
		d.items = append([]freshItem(nil), d.items[n:]...)
	}
	f.oldest = now // of what came meanwhile
	if f.count == 0 {
		f.oldest = time.Time{}
	}
}

// waiting is how many entries there are, and since when.
func (f *fresh) waiting() (n int, since time.Time) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.count, f.oldest
}
