// Package live is the websocket edge: what the wall sees as it happens.
//
// Alerts, reports and work orders are lossless: each client has its own place
// in the numbered log of changes and its writer sends what follows it, so a
// client that was away, or is slow, gets every change once and in order.
// Positions and values are not: a board has the newest of each device, and a
// client that is behind is sent only that. One goroutine writes to a client, and
// puts all that waits into one frame; who looks at the same part of the map
// shares its frames.
package live

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/health"
	"haidang/ingest/latest"
)

// Registry is what the hub asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	List(devices.Filter) []*devices.Device
	Type(devices.TypeID) (*devices.Type, bool)
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

	slowAfter, writeWait time.Duration

	mu      sync.Mutex
	clients map[*client]struct{}
	looks   map[lookAt]*look
	stopped bool
	guests  sync.WaitGroup // connections that ServeHTTP still holds
	done    chan struct{}

	edited *edits
	board  *board
	fresh  map[devices.ID]devices.Freshness // as last told; of the goroutine that ages
}

// NewHub returns a hub; Run it.
func NewHub(o Options) *Hub {
	return &Hub{Options: o, epoch: rand.Text(), clients: map[*client]struct{}{}, looks: map[lookAt]*look{}, done: make(chan struct{}),
		slowAfter: slowAfter, writeWait: writeWait, fresh: map[devices.ID]devices.Freshness{}, edited: newEdits(), board: newBoard()}
}

// Clients is how many screens are connected.
func (h *Hub) Clients() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// enter counts a connection in, unless the hub has stopped.
func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.guests.Add(1)
	return true
}

// Run watches for changes until ctx ends, then closes all clients with a code
// that makes them connect again, and returns when they are gone.
func (h *Hub) Run(ctx context.Context) error {
	w := h.Tracker.Watch()
	defer w.Close()
	aged := make(chan []devices.ID)
	var wg sync.WaitGroup
	for channel := range h.Snapshots {
		wg.Go(func() { h.relay(ctx, channel) })
	}
	// Statistics and ageing read much: they must not hold up a position.
	wg.Go(func() { everySecond(ctx, func(time.Time) { h.spreadStats(ctx) }) })
	wg.Go(func() {
		everySecond(ctx, func(now time.Time) {
			select {
			case aged <- h.ageing(now):
			case <-ctx.Done():
			}
		})
	})
	for {
		select {
		case <-ctx.Done():
			h.stop()
			wg.Wait()
			return nil
		case <-w.C():
			h.spread(w.Drain())
		case <-h.edited.wake:
			h.spreadEdits(h.edited.take())
		case ids := <-aged:
			h.spread(ids)
			h.board.tick(time.Now())
			for _, l := range h.lookedAt() {
				l.tick()
			}
		}
	}
}

func everySecond(ctx context.Context, fn func(time.Time)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			fn(now)
		}
	}
}

// relay wakes who follows a lossless channel when it has changed.
func (h *Hub) relay(ctx context.Context, channel string) {
	sub := h.Log.Subscribe(channel)
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.C():
			h.each(func(c *client) { c.channelDue(channel) })
		}
	}
}

// stop says goodbye to all clients and cuts off who does not answer.
func (h *Hub) stop() {
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	close(h.done)
	h.each(func(c *client) { c.close(closeGoingAway, "the server is restarting; connect again") })
	cut := time.AfterFunc(2*farewell, func() { h.each(func(c *client) { c.conn.Close() }) })
	defer cut.Stop()
	h.guests.Wait()
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

// spread encodes each changed device once and wakes who looks there.
func (h *Hub) spread(ids []devices.ID) {
	if len(ids) == 0 {
		return
	}
	looks, now := h.lookedAt(), time.Now()
	if len(looks) == 0 {
		h.board.skip()
		return
	}
	items := make([]item, 0, len(ids))
	for _, id := range ids {
		d, ok := h.Registry.Get(id)
		if !ok {
			continue
		}
		if it, ok := h.place(d, now, true); ok && d.Life.Speaks() {
			items = append(items, it)
		}
	}
	h.tell(looks, items)
}

// tell puts changes on the board and wakes who looks there.
func (h *Hub) tell(looks []*look, items []item) {
	seq := h.board.put(items)
	for _, l := range looks {
		l.touch(seq, items)
	}
}

func (h *Hub) lookedAt() []*look {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.looks))
}

// ageing finds the devices whose freshness changed by time passing.
func (h *Hub) ageing(now time.Time) []devices.ID {
	var ids []devices.ID
	for _, d := range h.Registry.List(devices.Filter{}) {
		f := h.Tracker.Freshness(now, d.ID, health.Expect(h.Registry, d))
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
	var message *websocket.PreparedMessage
	h.each(func(c *client) {
		if !c.wantsStats() {
			return
		}
		if message == nil {
			s, err := h.Stats(ctx)
			if err != nil && ctx.Err() != nil {
				return
			}
			if err != nil {
				h.Logger.Error("make statistics", "component", "web.live", "error", err)
				return
			}
			b, err := json.Marshal(s)
			if err != nil {
				return
			}
			message = makeMessage("delta", "stats", h.epoch, 0, []json.RawMessage{b})
		}
		c.offerStats(message)
	})
}

// makeMessage builds one message to one or more clients.
func makeMessage(typ, channel, epoch string, seq int64, items []json.RawMessage) *websocket.PreparedMessage {
	head, _ := json.Marshal(struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		Epoch   string `json:"epoch"`
		Seq     int64  `json:"seq"`
	}{typ, channel, epoch, seq})
	size := len(head) + 16 + len(items)
	for _, it := range items {
		size += len(it)
	}
	b := append(make([]byte, 0, size), head[:len(head)-1]...)
	b = append(b, `,"items":[`...)
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it...)
	}
	return prepared(append(b, "]}"...))
}

// prepared frames a text once for all who are sent it.
func prepared(text []byte) *websocket.PreparedMessage {
	m, _ := websocket.NewPreparedMessage(websocket.TextMessage, text) // fails for other types only
	return m
}
