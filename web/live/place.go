package live

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/gorilla/websocket"

	"haidang/devices/changelog"
)

// chunk is how many changes go into one frame.
const chunk = 500

// place is how far a client has read a lossless channel.
type place struct {
	seq      int64
	snapshot bool // it needs one before anything else
	due      bool // the channel may hold more; guarded by the client's lock
	// shown holds the items of the snapshot that are newer than its number:
	// their changes are not told a second time.
	shown map[string]int64
}

// channelDue has a client read on in a channel, if it follows it.
func (c *client) channelDue(name string) {
	c.mu.Lock()
	p, ok := c.channels[name]
	if ok {
		p.due = true
	}
	c.mu.Unlock()
	if ok {
		c.poke()
	}
}

// follow reads on in a lossless channel, or starts it with a snapshot.
func (c *client) follow(ctx context.Context, name string) (ms []*websocket.PreparedMessage, more bool, err error) {
	c.mu.Lock()
	p, ok := c.channels[name]
	c.mu.Unlock()
	if !ok {
		return nil, false, nil
	}
	if !p.snapshot {
		changes, err := c.h.Log.Since(ctx, name, p.seq, chunk)
		if err == nil {
			if len(changes) == 0 {
				return nil, false, nil
			}
			items := make([]json.RawMessage, 0, len(changes))
			for i := range changes {
				if changes[i].Seq > p.shown[changes[i].ID] {
					items = append(items, changes[i].JSON)
				}
			}
			p.seq = changes[len(changes)-1].Seq
			if len(changes) < chunk {
				p.shown = nil // all that the snapshot could have seen has passed
			}
			return []*websocket.PreparedMessage{makeMessage("delta", name, c.h.Log.Epoch(), p.seq, c.sees.show(name, items))}, len(changes) == chunk, nil
		}
		if !errors.Is(err, changelog.ErrTooOld) {
			return nil, false, err
		}
	}
	// The number first: a change between the two reads is in both, never in none.
	seq, err := c.h.Log.Last(ctx, name)
	if err != nil {
		return nil, false, err
	}
	items, err := c.h.Snapshots[name](ctx)
	if err != nil {
		return nil, false, err
	}
	p.snapshot, p.seq, p.shown = false, seq, newer(items, seq)
	return []*websocket.PreparedMessage{makeMessage("snapshot", name, c.h.Log.Epoch(), seq, c.sees.show(name, items))}, true, nil
}

// newer finds the items that changed after seq, by their id (a report's is its
// code).
func newer(items []json.RawMessage, seq int64) map[string]int64 {
	var out map[string]int64
	for _, b := range items {
		var it struct {
			ID, Code string
			Seq      int64
		}
		if json.Unmarshal(b, &it) != nil || it.Seq <= seq {
			continue
		}
		if out == nil {
			out = map[string]int64{}
		}
		if it.ID == "" {
			it.ID = it.Code
		}
		out[it.ID] = it.Seq
	}
	return out
}
