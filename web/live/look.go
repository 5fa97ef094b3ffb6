package live

import (
	"encoding/json"
	"sync"

	"github.com/gorilla/websocket"

	"haidang/devices"
)

const (
	// Frames of a look that are kept for who has not had them.
	framesKept = 8
	// Who has more than catchUpAfter frames to come is sent one frame with the
	// newest of each device instead.
	catchUpAfter = 2
)

// lookAt is what of the map a client looks at, and the name of what limits it.
type lookAt struct {
	box    bbox
	zoom   float64
	limits string
}

// look is a part of the map that one or more clients look at, and the frames
// that they are sent. A frame holds all that changed from where one ended that
// was made before up to when it is made, so it is made once for all who have
// come as far: what a wall costs is the writing.
type look struct {
	lookAt
	h    *Hub
	sees func(*devices.Device) bool // nil: all

	mu      sync.Mutex
	clients map[*client]struct{}
	touched int64 // the first change in the box that is in no frame; 0: none
	end     int64 // where the newest frame ends
	frames  map[int64]shared
	begins  []int64 // keys of frames, oldest first
	// far is the message with clusters instead of devices; old: make another.
	far       *websocket.PreparedMessage
	clustered bool
}

// shared is a frame, by where it begins.
type shared struct {
	to      int64
	message *websocket.PreparedMessage
}

// watch makes c one of those who look at a part of the map.
func (h *Hub) watch(at lookAt, c *client) *look {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.looks[at]
	if l == nil {
		l = &look{lookAt: at, h: h, sees: c.sees.Device, clients: map[*client]struct{}{}, frames: map[int64]shared{}, end: h.board.last()}
		h.looks[at] = l
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients[c] = struct{}{}
	return l
}

// leave ends what watch began.
func (l *look) leave(c *client) {
	l.h.mu.Lock()
	defer l.h.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.clients, c)
	if len(l.clients) == 0 {
		delete(l.h.looks, l.lookAt)
	}
}

// touch wakes the clients when one of the changes is in the box.
func (l *look) touch(seq int64, items []item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clustered {
		return
	}
	for i := range items {
		if items[i].trail.meets(l.box) && (l.sees == nil || l.sees(items[i].dev) || items[i].left != nil && l.sees(items[i].left)) {
			if l.touched == 0 {
				l.touched = seq
			}
			for c := range l.clients {
				c.poke()
			}
			return
		}
	}
}

// next returns what follows change number at, and the number it leads to; more
// says that there is more behind that. No message: nothing does. Not ok: only a
// snapshot will do.
func (l *look) next(at int64) (m *websocket.PreparedMessage, to int64, more, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at >= l.end { // nothing between the two is in the box, or a frame to come tells it
		if l.touched == 0 {
			return nil, at, false, true
		}
		items, head, ok := l.h.board.since(l.touched-1, l.box, l.sees)
		at, l.touched, l.end = l.end, 0, head
		if len(items) > 0 {
			m = l.keep(at, head, items, head)
		}
		return m, head, false, ok
	}
	if f, ok := l.frames[at]; ok && (f.to == l.end || l.after(at) <= catchUpAfter) {
		return f.message, f.to, f.to < l.end || l.touched > 0, true
	}
	items, head, ok := l.h.board.since(at, l.box, l.sees)
	if len(items) > 0 {
		// What came after the end is told again in the next frame: so this
		// client and the others meet.
		m = l.keep(at, l.end, items, head)
	}
	return m, l.end, l.touched > 0, ok
}

// after is how many frames begin later.
func (l *look) after(at int64) (n int) {
	for _, b := range l.begins {
		if b > at {
			n++
		}
	}
	return n
}

// keep makes a frame for all who have come as far as at.
func (l *look) keep(at, to int64, items []json.RawMessage, seq int64) *websocket.PreparedMessage {
	m := makeMessage("delta", "map", l.h.epoch, seq, items)
	if _, ok := l.frames[at]; !ok {
		l.begins = append(l.begins, at)
	}
	l.frames[at] = shared{to, m}
	for len(l.begins) > framesKept {
		delete(l.frames, l.begins[0])
		l.begins = l.begins[1:]
	}
	return m
}

// tick drops the frames that stand for a second: who is so far behind is better
// off with one. Of clusters it has new ones made.
func (l *look) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.frames)
	l.begins = l.begins[:0]
	l.far = nil
	if l.clustered {
		for c := range l.clients {
			c.clusterDue()
		}
	}
}

// renew has everybody who looks start anew with a snapshot.
func (l *look) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.frames)
	l.begins = l.begins[:0]
	l.far = nil
	for c := range l.clients {
		c.clusterDue()
	}
}

// snapshot returns all there is in the box, and the number up to which it is
// told.
func (l *look) snapshot() (*websocket.PreparedMessage, int64) {
	l.mu.Lock()
	far := l.far
	l.mu.Unlock()
	seq := l.h.board.last() // before reading: what comes between is sent again
	if far != nil {
		return far, seq
	}
	places := l.h.places(l.box, l.sees)
	clustered := l.zoom < clusterZoom && len(places) > clusterOver
	if !clustered {
		l.mu.Lock()
		l.clustered = false
		l.mu.Unlock()
		return makeMessage("snapshot", "map", l.h.epoch, seq, l.h.encode(places)), seq
	}
	m := makeMessage("snapshot", "map", l.h.epoch, seq, clusters(places, l.zoom))
	l.mu.Lock()
	l.clustered, l.far = true, m
	l.mu.Unlock()
	return m, seq
}
