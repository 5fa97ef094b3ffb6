package live

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"haidang/devices/changelog"
)

// Close codes of our own: both ask the client to come back and resume.
const (
	closeSlow      = 4008
	closeGoingAway = 4000
)

const (
	writeWait  = 10 * time.Second
	pongWait   = 60 * time.Second
	pingEvery  = 25 * time.Second
	maxRequest = 4096
	// chunk is how many changes go into one frame.
	chunk = 500
)

// client is one connected screen.
type client struct {
	h    *Hub
	conn *websocket.Conn
	wake chan struct{}
	quit chan struct{}
	once sync.Once
	code int
	text string

	mu       sync.Mutex
	channels map[string]*place
	view     *view
	stats    []byte
	wants    bool
	replies  [][]byte
}

// place is how far a client has read a lossless channel.
type place struct {
	seq      int64
	snapshot bool // it needs one before anything else
}

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

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 16 << 10} // the default origin check: same host only

// ServeHTTP makes the request a client until it leaves. allowed says which
// channels the session may see.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request, allowed func(channel string) bool) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := &client{h: h, conn: conn, wake: make(chan struct{}, 1), quit: make(chan struct{}), channels: map[string]*place{}}
	h.mu.Lock()
	h.clients[c] = struct{}{}
	h.mu.Unlock()
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write(context.WithoutCancel(r.Context()))
	}()
	select {
	case <-h.done:
		c.close(closeGoingAway, "the server is stopping")
	default:
	}
	c.read(allowed)
	c.close(websocket.CloseNormalClosure, "")
	<-written
	h.mu.Lock()
	delete(h.clients, c)
	h.mu.Unlock()
}

// close asks the writer to end; the first reason counts.
func (c *client) close(code int, text string) {
	c.once.Do(func() {
		c.code, c.text = code, text
		close(c.quit)
	})
}

func (c *client) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// request is what a client may send.
type request struct {
	Type    string  `json:"type"`
	Channel string  `json:"channel"`
	BBox    *bbox   `json:"bbox"`
	Zoom    float64 `json:"zoom"`
	Since   *int64  `json:"since"`
	Epoch   string  `json:"epoch"`
}

func (c *client) read(allowed func(string) bool) {
	c.conn.SetReadLimit(maxRequest)
	c.conn.SetReadDeadline(time.Now().Add(pongWait))
	c.conn.SetPongHandler(func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) })
	for {
		_, b, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		c.conn.SetReadDeadline(time.Now().Add(pongWait))
		var rq request
		if err := json.Unmarshal(b, &rq); err != nil {
			c.reply("error", "bad_request", "this is not a request in JSON")
			continue
		}
		c.handle(&rq, allowed)
	}
}

func (c *client) reply(typ, code, message string) {
	b, _ := json.Marshal(struct {
		Type    string `json:"type"`
		Code    string `json:"code,omitempty"`
		Message string `json:"message,omitempty"`
	}{typ, code, message})
	c.mu.Lock()
	if len(c.replies) < 64 { // a client in a loop does not fill memory
		c.replies = append(c.replies, b)
	}
	c.mu.Unlock()
	c.poke()
}

func (c *client) handle(rq *request, allowed func(string) bool) {
	switch rq.Type {
	case "ping":
		c.reply("pong", "", "")
	case "unsubscribe":
		c.mu.Lock()
		delete(c.channels, rq.Channel)
		switch rq.Channel {
		case "map":
			c.view = nil
		case "stats":
			c.wants = false
		}
		c.mu.Unlock()
	case "subscribe":
		_, lossless := c.h.Snapshots[rq.Channel]
		switch {
		case !lossless && rq.Channel != "map" && rq.Channel != "stats":
			c.reply("error", "unknown_channel", "there is no such channel; known are map, alerts, reports, work-orders, stats")
		case !allowed(rq.Channel):
			c.reply("error", "forbidden", "this session may not see that channel")
		default:
			c.subscribe(rq, lossless)
		}
	default:
		c.reply("error", "bad_request", "type must be subscribe, unsubscribe or ping")
	}
}

func (c *client) subscribe(rq *request, lossless bool) {
	c.mu.Lock()
	switch {
	case lossless:
		p := &place{snapshot: true}
		if rq.Since != nil && (rq.Epoch == "" || rq.Epoch == c.h.Log.Epoch()) {
			p = &place{seq: *rq.Since}
		}
		c.channels[rq.Channel] = p
	case rq.Channel == "stats":
		c.wants = true
	default:
		box := bbox{-180, -90, 180, 90}
		if rq.BBox != nil {
			box = *rq.BBox
		}
		c.view = &view{box: box, zoom: rq.Zoom, snapshot: true, pending: map[string]json.RawMessage{}}
	}
	c.mu.Unlock()
	c.poke()
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
		if !v.box.has(items[i].lat, items[i].lon) {
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

func (c *client) wantsStats() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wants
}

func (c *client) offerStats(frame []byte) {
	c.mu.Lock()
	c.stats = frame
	c.mu.Unlock()
	c.poke()
}

// write is the client's one writer.
func (c *client) write(ctx context.Context) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	defer c.conn.Close()
	for {
		select {
		case <-c.quit:
			c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(c.code, c.text), time.Now().Add(time.Second))
			return
		case <-ping.C:
			if c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait)) != nil {
				return
			}
		case <-c.wake:
			for more := true; more; {
				frames, again, err := c.gather(ctx)
				if err != nil {
					c.h.Logger.Error("read changes for a screen", "component", "web.live", "error", err)
					c.close(closeGoingAway, "the server could not read its changes; connect again")
					break
				}
				for _, f := range frames {
					c.conn.SetWriteDeadline(time.Now().Add(writeWait))
					if c.conn.WriteMessage(websocket.TextMessage, f) != nil {
						return // too slow, or gone: it resumes with its last number
					}
				}
				more = again
			}
		}
	}
}

// gather takes all that waits. again says that a channel has more.
func (c *client) gather(ctx context.Context) (frames [][]byte, again bool, err error) {
	c.mu.Lock()
	frames, c.replies = c.replies, nil
	if c.stats != nil {
		frames = append(frames, c.stats)
		c.stats = nil
	}
	v := c.view
	var snapshotOf *view
	if v != nil {
		switch {
		case v.snapshot || v.due:
			v.snapshot, v.due = false, false
			snapshotOf = v
			clear(v.pending)
			v.order = v.order[:0]
		case len(v.order) > 0:
			items := make([]json.RawMessage, len(v.order))
			for i, id := range v.order {
				items[i] = v.pending[id]
			}
			clear(v.pending)
			v.order = v.order[:0]
			frames = append(frames, makeFrame("delta", "map", c.h.epoch, v.seq, items))
		}
	}
	names := make([]string, 0, len(c.channels))
	for n := range c.channels {
		names = append(names, n)
	}
	c.mu.Unlock()
	slices.Sort(names)
	if snapshotOf != nil {
		frames = append(frames, c.mapSnapshot(snapshotOf))
	}
	for _, n := range names {
		f, more, err := c.follow(ctx, n)
		if err != nil {
			return nil, false, err
		}
		frames = append(frames, f...)
		again = again || more
	}
	return frames, again, nil
}

func (c *client) mapSnapshot(v *view) []byte {
	items := c.h.all(v.box)
	clustered := v.zoom < clusterZoom && len(items) > clusterOver
	c.mu.Lock()
	v.clustered = clustered
	seq := v.seq
	c.mu.Unlock()
	if clustered {
		return makeFrame("snapshot", "map", c.h.epoch, seq, clusters(items, v.zoom))
	}
	raw := make([]json.RawMessage, len(items))
	for i := range items {
		raw[i] = items[i].json
	}
	return makeFrame("snapshot", "map", c.h.epoch, seq, raw)
}

// follow reads on in a lossless channel, or starts it with a snapshot.
func (c *client) follow(ctx context.Context, name string) (frames [][]byte, more bool, err error) {
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
			items := make([]json.RawMessage, len(changes))
			for i := range changes {
				items[i] = changes[i].JSON
			}
			p.seq = changes[len(changes)-1].Seq
			return [][]byte{makeFrame("delta", name, c.h.Log.Epoch(), p.seq, items)}, len(changes) == chunk, nil
		}
		if !errors.Is(err, changelog.ErrTooOld) {
			return nil, false, err
		}
	}
	// The number first: a change between the two reads comes twice, never not.
	seq, err := c.h.Log.Last(ctx, name)
	if err != nil {
		return nil, false, err
	}
	items, err := c.h.Snapshots[name](ctx)
	if err != nil {
		return nil, false, err
	}
	p.snapshot, p.seq = false, seq
	return [][]byte{makeFrame("snapshot", name, c.h.Log.Epoch(), seq, items)}, true, nil
}
