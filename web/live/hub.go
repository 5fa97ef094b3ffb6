// Package live is the websocket edge: what the wall sees as it happens.
//
// Alerts, reports and work orders are lossless: each client has its own place
// in the numbered log of changes and its writer sends what follows it, so a
// client that was away, or is slow, gets every change once and in order.
// Positions and values are not: for each device a client holds at most one
// pending item, the newest. One goroutine writes to a client, and puts all that
// waits into one frame.
package live

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/ingest/latest"
)

// Registry is what the hub asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	List(devices.Filter) []*devices.Device
	Interval(*devices.Device) time.Duration
}

// Options are what a Hub needs.
type Options struct {
	Registry Registry
	Tracker  *latest.Tracker
	Log      *changelog.Log
	// Snapshots gives, for each lossless channel, the items to start with.
	Snapshots map[string]func(context.Context) ([]json.RawMessage, error)
	// Stats is the item of the channel "stats".
	Stats  func(context.Context) (any, error)
	Logger *slog.Logger
}

// Hub brings changes to all connected clients.
type Hub struct {
	Options
	epoch string // of the map: positions are numbered anew in each run

	mu      sync.Mutex
	clients map[*client]struct{}
	seq     int64
	fresh   map[devices.ID]devices.Freshness // as last told
	done    chan struct{}
}

// NewHub returns a hub; Run it.
func NewHub(o Options) *Hub {
	return &Hub{Options: o, epoch: rand.Text(), clients: map[*client]struct{}{}, fresh: map[devices.ID]devices.Freshness{}, done: make(chan struct{})}
}

// Clients is how many screens are connected.
func (h *Hub) Clients() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// Run watches for changes until ctx ends, then closes all clients with a code
// that makes them connect again.
func (h *Hub) Run(ctx context.Context) error {
	w := h.Tracker.Watch()
	defer w.Close()
	var wg sync.WaitGroup
	for channel := range h.Snapshots {
		sub := h.Log.Subscribe(channel)
		wg.Go(func() {
			defer sub.Close()
			for {
				select {
				case <-ctx.Done():
					return
				case <-sub.C():
					h.each(func(c *client) { c.poke() })
				}
			}
		})
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			close(h.done)
			h.each(func(c *client) { c.close(closeGoingAway, "the server is restarting; connect again") })
			wg.Wait()
			return nil
		case <-w.C():
			h.spread(w.Drain())
		case now := <-tick.C:
			h.spread(h.ageing(now))
			h.each(func(c *client) { c.clusterDue() })
			h.spreadStats(ctx)
		}
	}
}

func (h *Hub) each(fn func(*client)) {
	h.mu.Lock()
	cs := make([]*client, 0, len(h.clients))
	for c := range h.clients {
		cs = append(cs, c)
	}
	h.mu.Unlock()
	for _, c := range cs {
		fn(c)
	}
}

// spread encodes each changed device once and gives it to who looks there.
func (h *Hub) spread(ids []devices.ID) {
	if len(ids) == 0 || h.Clients() == 0 {
		return
	}
	now := time.Now()
	items := make([]item, 0, len(ids))
	for _, id := range ids {
		if it, ok := h.item(id, now); ok {
			items = append(items, it)
		}
	}
	h.mu.Lock()
	h.seq++
	seq := h.seq
	h.mu.Unlock()
	h.each(func(c *client) { c.offer(seq, items) })
}

// ageing finds the devices whose freshness changed by time passing.
func (h *Hub) ageing(now time.Time) []devices.ID {
	var ids []devices.ID
	for _, d := range h.Registry.List(devices.Filter{}) {
		f := devices.FreshnessAt(now, h.Tracker.LastSeen(d.ID), h.Registry.Interval(d))
		if old, ok := h.fresh[d.ID]; !ok || old != f {
			h.fresh[d.ID] = f
			if ok {
				ids = append(ids, d.ID)
			}
		}
	}
	return ids
}

func (h *Hub) spreadStats(ctx context.Context) {
	var frame []byte
	h.each(func(c *client) {
		if !c.wantsStats() {
			return
		}
		if frame == nil {
			s, err := h.Stats(ctx)
			if err != nil {
				h.Logger.Error("make statistics", "component", "web.live", "error", err)
				return
			}
			b, err := json.Marshal(s)
			if err != nil {
				return
			}
			frame = makeFrame("delta", "stats", h.epoch, 0, []json.RawMessage{b})
		}
		c.offerStats(frame)
	})
}

// makeFrame builds one message to a client.
func makeFrame(typ, channel, epoch string, seq int64, items []json.RawMessage) []byte {
	var b bytes.Buffer
	head, _ := json.Marshal(struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		Epoch   string `json:"epoch"`
		Seq     int64  `json:"seq"`
	}{typ, channel, epoch, seq})
	b.Write(head[:len(head)-1])
	b.WriteString(`,"items":[`)
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(it)
	}
	b.WriteString("]}")
	return b.Bytes()
}
