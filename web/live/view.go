package live

import "github.com/gorilla/websocket"

// view is how far a client has come in what it looks at of the map.
type view struct {
	*look
	at       int64
	snapshot bool // it needs one before anything else
}

// lookUp subscribes a client to a part of the map, instead of another; nil: to
// none.
func (c *client) lookUp(at *lookAt) {
	var v *view
	if at != nil {
		v = &view{look: c.h.watch(*at, c), snapshot: true}
	}
	c.mu.Lock()
	old := c.view
	c.view = v
	c.mu.Unlock()
	if old != nil && (v == nil || old.look != v.look) {
		old.leave(c)
	}
}

// clusterDue has a client sent the clusters anew.
func (c *client) clusterDue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view != nil {
		c.view.snapshot = true
		c.poke()
	}
}

// mapMessage takes what is next for the map; nil: nothing. more says that the
// client is behind even with it.
func (c *client) mapMessage() (m *websocket.PreparedMessage, more bool) {
	c.mu.Lock()
	v := c.view
	if v == nil {
		c.mu.Unlock()
		return nil, false
	}
	at, ok := v.at, !v.snapshot
	v.snapshot = false
	c.mu.Unlock()
	if ok {
		m, at, more, ok = v.next(at)
	}
	if !ok {
		m, at = v.look.snapshot()
		more = true
	}
	c.mu.Lock()
	v.at = at
	c.mu.Unlock()
	return m, more
}
