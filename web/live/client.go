package live

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"
)

// Close codes of our own: both ask the client to come back and resume.
const (
	closeSlow      = 4008
	closeGoingAway = 4000
	// closeEnded asks it to sign in again.
	closeEnded = 4001
)

// A screen asks a few times when it opens, and at each move of its map; one that
// asks more is a script, and each question costs a look at everything.
const (
	askEvery = 100 * time.Millisecond
	askBurst = 200
)

const (
	// A screen that takes longer than slowAfter for one frame is told so with
	// 4008 when it has taken it; after writeWait it is given up.
	slowAfter  = 5 * time.Second
	writeWait  = 20 * time.Second
	pongWait   = 60 * time.Second
	pingEvery  = 25 * time.Second
	farewell   = time.Second // for the other side to answer our close
	maxRequest = 4096
)

// client is one connected screen.
type client struct {
	h    *Hub
	conn *websocket.Conn
	sees Access
	wake chan struct{}
	quit chan struct{}
	once sync.Once
	code int
	text string

	mu       sync.Mutex
	channels map[string]*place
	view     *view
	stats    *websocket.PreparedMessage
	wants    bool
	replies  []*websocket.PreparedMessage
}

// Only prepared messages are written, which need no buffer of the connection's.
var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferPool: &sync.Pool{}} // the default origin check: same host only

// Asked says whether a request asks to become a websocket.
func Asked(r *http.Request) bool { return websocket.IsWebSocketUpgrade(r) }

// ServeHTTP makes the request a client until it leaves, or the request's context
// ends: that is, its session. sees is what the session may see.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request, sees Access) {
	if !h.enter() {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "the server is stopping", http.StatusServiceUnavailable)
		return
	}
	defer h.guests.Done()
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	defer conn.Close()
	c := &client{h: h, conn: conn, sees: sees, wake: make(chan struct{}, 1), quit: make(chan struct{}), channels: map[string]*place{}}
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
	ended := context.AfterFunc(r.Context(), func() { c.close(closeEnded, "the session has ended; sign in again") })
	defer ended()
	c.read()
	c.close(websocket.CloseNormalClosure, "")
	<-written
	c.lookUp(nil)
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

func (c *client) read() {
	c.conn.SetReadLimit(maxRequest)
	// The deadline first, then the look: after quit it is the writer's to set.
	heard := func() bool {
		c.conn.SetReadDeadline(time.Now().Add(pongWait))
		return !c.leaving()
	}
	c.conn.SetPongHandler(func(string) error {
		if !heard() {
			return net.ErrClosed
		}
		return nil
	})
	heard()
	asks := rate.NewLimiter(rate.Every(askEvery), askBurst)
	for {
		_, b, err := c.conn.ReadMessage()
		if err != nil || !heard() {
			return
		}
		if !asks.Allow() {
			c.close(websocket.ClosePolicyViolation, "too many requests on this connection")
			return
		}
		var rq request
		if err := json.Unmarshal(b, &rq); err != nil {
			c.reply("error", "bad_request", "this is not a request in JSON")
			continue
		}
		c.handle(&rq)
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
		c.replies = append(c.replies, prepared(b))
	}
	c.mu.Unlock()
	c.poke()
}

func (c *client) handle(rq *request) {
	switch rq.Type {
	case "ping":
		c.reply("pong", "", "")
	case "unsubscribe":
		if rq.Channel == "map" {
			c.lookUp(nil)
		}
		c.mu.Lock()
		delete(c.channels, rq.Channel)
		if rq.Channel == "stats" {
			c.wants = false
		}
		c.mu.Unlock()
	case "subscribe":
		_, lossless := c.h.Snapshots[rq.Channel]
		switch {
		case !lossless && rq.Channel != "map" && rq.Channel != "stats":
			c.reply("error", "unknown_channel", "there is no such channel; known are map, alerts, reports, work-orders, stats")
		case !c.sees.Channel(rq.Channel):
			c.reply("error", "forbidden", "this session may not see that channel")
		default:
			c.subscribe(rq, lossless)
		}
	default:
		c.reply("error", "bad_request", "type must be subscribe, unsubscribe or ping")
	}
}

func (c *client) subscribe(rq *request, lossless bool) {
	if rq.Channel == "map" {
		at := lookAt{box: world, zoom: rq.Zoom, limits: c.sees.Limits}
		if rq.BBox != nil {
			at.box = *rq.BBox
		}
		c.lookUp(&at)
		c.poke()
		return
	}
	c.mu.Lock()
	switch {
	case lossless:
		p := &place{snapshot: true, due: true}
		if rq.Since != nil && *rq.Since >= 0 && (rq.Epoch == "" || rq.Epoch == c.h.Log.Epoch()) {
			p = &place{seq: *rq.Since, due: true}
		}
		c.channels[rq.Channel] = p
	case rq.Channel == "stats":
		c.wants = true
	}
	c.mu.Unlock()
	c.poke()
}

func (c *client) wantsStats() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wants
}

func (c *client) offerStats(m *websocket.PreparedMessage) {
	c.mu.Lock()
	c.stats = m
	c.mu.Unlock()
	c.poke()
}
