package latest

import (
	"sync"

	"haidang/devices"
)

// Watch tells one reader which devices changed since it last asked. However
// slow the reader, it holds at most one entry a device.
type Watch struct {
	t    *Tracker
	wake chan struct{}

	mu   sync.Mutex
	seen map[devices.ID]struct{}
	ids  []devices.ID
}

// Watch starts watching; Close it.
func (t *Tracker) Watch() *Watch {
	w := &Watch{t: t, wake: make(chan struct{}, 1), seen: map[devices.ID]struct{}{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watches[w] = struct{}{}
	return w
}

// C receives when something changed since the last Drain.
func (w *Watch) C() <-chan struct{} { return w.wake }

// Drain returns the devices that changed since the last Drain, each once, in
// the order of their first change.
func (w *Watch) Drain() []devices.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := w.ids
	w.ids = nil
	clear(w.seen)
	return ids
}

// Close ends the watch.
func (w *Watch) Close() {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	delete(w.t.watches, w)
}

func (w *Watch) mark(ids []devices.ID) {
	if len(ids) == 0 {
		return
	}
	w.mu.Lock()
	for _, id := range ids {
		if _, ok := w.seen[id]; !ok {
			w.seen[id] = struct{}{}
			w.ids = append(w.ids, id)
		}
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
