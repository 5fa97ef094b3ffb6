package live

import (
	"encoding/json"
	"sync"
	"time"

	"haidang/devices"
)

// edits are the changes of the registry that screens were not told of.
type edits struct {
	wake chan struct{}

	mu  sync.Mutex
	was map[devices.ID]*devices.Device // as it was told last; nil: not at all
}

func newEdits() *edits {
	return &edits{wake: make(chan struct{}, 1), was: map[devices.ID]*devices.Device{}}
}

// Edited notes that somebody changed a device: old is what it was, nil for a new
// one. Screens that may see it have it, or lose it, without being loaded again.
func (h *Hub) Edited(old, now *devices.Device) {
	e := h.edited
	e.mu.Lock()
	if _, waits := e.was[now.ID]; !waits {
		e.was[now.ID] = old
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *edits) take() map[devices.ID]*devices.Device {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.was
	e.was = map[devices.ID]*devices.Device{}
	return was
}

// renewOver is from how many changed devices on, as an import brings them,
// screens are better off with a snapshot.
const renewOver = 2000

// spreadEdits tells screens which devices came, went or changed.
func (h *Hub) spreadEdits(was map[devices.ID]*devices.Device) {
	looks, now := h.lookedAt(), time.Now()
	if len(looks) == 0 {
		h.board.skip()
		return
	}
	if len(was) > renewOver {
		for _, l := range looks {
			l.renew()
		}
		return
	}
	items := make([]item, 0, len(was))
	for id, old := range was {
		d, ok := h.Registry.Get(id)
		if !ok {
			continue
		}
		it, placed := h.place(d, now, true)
		before, shown := item{}, false
		if old != nil && old.Life.Speaks() {
			before, shown = h.place(old, now, false)
		}
		switch stays := placed && d.Life.Speaks(); {
		case !stays && !shown:
			continue
		case !stays:
			it = before
			it.dev, it.json = old, gone(id) // who saw it is told
		case shown:
			it.trail, it.left = it.trail.and(before.trail), old
		}
		items = append(items, it)
	}
	h.tell(looks, items)
}

// gone is the item of a device that is no longer on the map.
func gone(id devices.ID) json.RawMessage {
	return append(appendString([]byte(`{"k":"x","id":`), string(id)), '}')
}
