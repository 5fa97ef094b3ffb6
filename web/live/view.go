package live

import "encoding/json"

// view is what of the map a client looks at.
type view struct {
	box       bbox
	zoom      float64
	snapshot  bool
	clustered bool
	due       bool
	seq       int64
	pending   map[string]json.RawMessage
	order     []string
}

// offer gives the client the newest of each device it looks at.
func (c *client) offer(seq int64, items []item) {
	c.mu.Lock()
	v := c.view
	if v == nil || v.clustered {
		c.mu.Unlock()
		return
	}
	any := false
	for i := range items {
		// Who leaves the box is told once more, or its marker would stay behind.
		if !v.box.has(items[i].lat, items[i].lon) && !v.box.has(items[i].fromLat, items[i].fromLon) {
			continue
		}
		any = true
		if _, ok := v.pending[items[i].id]; !ok {
			v.order = append(v.order, items[i].id)
		}
		v.pending[items[i].id] = items[i].json
	}
	v.seq = seq
	c.mu.Unlock()
	if any {
		c.poke()
	}
}

func (c *client) clusterDue() {
	c.mu.Lock()
	due := c.view != nil && c.view.clustered
	if due {
		c.view.due = true
	}
	c.mu.Unlock()
	if due {
		c.poke()
	}
}

// changed takes what waits for the map as one frame; nil: nothing. The caller
// holds the client's lock.
func (v *view) changed(epoch string) []byte {
	if len(v.order) == 0 {
		return nil
	}
	items := make([]json.RawMessage, len(v.order))
	for i, id := range v.order {
		items[i] = v.pending[id]
	}
	v.forget()
	return makeFrame("delta", "map", epoch, v.seq, items)
}

func (v *view) forget() {
	clear(v.pending)
	v.order = v.order[:0]
}

func (c *client) mapSnapshot(v *view) []byte {
	seq := c.h.mapSeq() // before reading: what comes between is sent again
	places := c.h.places(v.box)
	clustered := v.zoom < clusterZoom && len(places) > clusterOver
	c.mu.Lock()
	v.clustered = clustered
	c.mu.Unlock()
	if clustered {
		return makeFrame("snapshot", "map", c.h.epoch, seq, clusters(places, v.zoom))
	}
	return makeFrame("snapshot", "map", c.h.epoch, seq, c.h.encode(places))
}
