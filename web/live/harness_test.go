package live

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
	"haidang/ingest"
	"haidang/ingest/latest"
)

// feed is a journal of which the test is the writer.
type feed chan []ingest.Entry

func (f feed) Follow(ctx context.Context, _ ingest.Pos, _ int, fn func(context.Context, []ingest.Entry) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case es := <-f:
			if err := fn(ctx, es); err != nil {
				return err
			}
		}
	}
}

// Newest implements latest.Journal; nothing came before the test.
func (feed) Newest(context.Context, func([]ingest.Entry)) (ingest.Pos, error) { return 0, nil }

// room is a hub with all real parts: registry, tracker, change log, HTTP.
type room struct {
	t    testing.TB
	db   *sql.DB
	reg  *devices.Registry
	log  *changelog.Log
	hub  *Hub
	feed feed
	url  string
	stop func()
	pos  ingest.Pos

	between func() // runs when a snapshot has its number and not yet its items

	mu    sync.Mutex
	board map[string]json.RawMessage // what the snapshot of alerts holds
}

func newRoom(t testing.TB, tune func(*Hub)) *room {
	t.Helper()
	ctx := t.Context()
	db, err := statedb.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, db: db, feed: make(feed), board: map[string]json.RawMessage{}}
	if r.reg, err = devices.NewRegistry(ctx, db); err != nil {
		t.Fatal(err)
	}
	if r.log, err = changelog.Open(ctx, db); err != nil {
		t.Fatal(err)
	}
	tracker := latest.New()
	r.hub = NewHub(Options{Registry: r.reg, Tracker: tracker, Log: r.log, Logger: slog.New(slog.DiscardHandler),
		Snapshots: map[string]func(context.Context) ([]json.RawMessage, error){"alerts": r.snapshot},
		Stats:     func(context.Context) (any, error) { return map[string]int{"n": 7}, nil }})
	if tune != nil {
		tune(r.hub)
	}
	r.reg.WatchAll(r.hub.Edited)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		sees := Access{Channel: func(channel string) bool { return q.Header.Get("X-Not") != channel }}
		if area := q.Header.Get("X-Area"); area != "" {
			sees.Limits, sees.Device = area, func(d *devices.Device) bool { return d.Area == area }
		}
		r.hub.ServeHTTP(w, q, sees)
	}))
	srv.Config.ConnState = func(c net.Conn, st http.ConnState) {
		if st == http.StateNew { // so that little data makes a screen slow
			c.(*net.TCPConn).SetWriteBuffer(32 << 10)
		}
	}
	srv.Start()
	r.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	run, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { tracker.Run(run, r.feed) })
	wg.Go(func() { r.hub.Run(run) })
	r.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		srv.Close()
	})
	t.Cleanup(func() {
		r.stop()
		db.Close()
		noneLeft(t)
	})
	return r
}

// noneLeft fails when a goroutine of this package outlived the hub.
func noneLeft(t testing.TB) {
	var stacks string
	for range 100 {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "live.(*client)") && !strings.Contains(stacks, "live.(*Hub)") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("goroutines were left behind:\n%s", stacks)
}

func (r *room) snapshot(context.Context) ([]json.RawMessage, error) {
	if r.between != nil {
		r.between()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []json.RawMessage
	for _, b := range r.board {
		out = append(out, b)
	}
	return out, nil
}

// alert is a changed item: its number is told by the log.
type alert struct {
	ID   string `json:"id"`
	Seq  int64  `json:"seq"`
	Text string `json:"text,omitempty"`
}

func (a *alert) SetSeq(n int64) { a.Seq = n }

// change makes one numbered change of alerts.
func (r *room) change(id, text string) int64 {
	r.t.Helper()
	ctx := context.Background()
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	a := alert{ID: id, Text: text}
	if _, err := r.log.Append(ctx, tx, "alerts", id, &a); err != nil {
		r.t.Fatal(err)
	}
	b, _ := json.Marshal(a)
	r.mu.Lock()
	err = tx.Commit()
	r.board[id] = b
	r.mu.Unlock()
	if err != nil {
		r.t.Fatal(err)
	}
	r.log.Publish("alerts")
	return a.Seq
}

func (r *room) device(id string, lat, lon float64) {
	r.t.Helper()
	if _, err := r.reg.Create(context.Background(), devices.Device{ID: devices.ID(id), Type: "fishing_vessel", Name: id, Position: &devices.Position{Lat: lat, Lon: lon}}); err != nil {
		r.t.Fatal(err)
	}
	r.edited()
}

// edited waits until the hub has taken up what was changed in the registry.
func (r *room) edited() {
	r.t.Helper()
	for range 1000 {
		r.hub.edited.mu.Lock()
		n := len(r.hub.edited.was)
		r.hub.edited.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatal("the hub does not take up what was changed")
}

func (r *room) reading(id string, lat, lon, knots float64) {
	r.pos++
	now := time.Now().UTC()
	r.feed <- []ingest.Entry{{Pos: r.pos, Reading: &ingest.Reading{Device: devices.ID(id), FixTime: now, ReceivedAt: now, Seq: ingest.NoSeq,
		Position: &devices.Position{Lat: lat, Lon: lon}, Values: []ingest.Value{{Metric: "speed_kn", Number: knots}}}}}
}

// frame is what a server sends.
type frame struct {
	Type, Channel, Epoch, Code, Message string
	Seq                                 int64
	Items                               []struct {
		K, ID, Text string
		Seq         int64
		N           int
		Lat, Lon    float64
		Values      map[string]float64
	}
}

// screen is a real websocket client.
type screen struct {
	t    testing.TB
	conn *websocket.Conn
}

func (r *room) screen(h http.Header) *screen {
	r.t.Helper()
	dialer := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(32 << 10)
		}
		return c, err
	}}
	conn, _, err := dialer.Dial(r.url, h)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &screen{r.t, conn}
}

func (s *screen) say(format string, args ...any) {
	s.t.Helper()
	if err := s.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) try() (f frame, err error) {
	s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, b, err := s.conn.ReadMessage()
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(b, &f)
}

func (s *screen) hear() frame {
	s.t.Helper()
	f, err := s.try()
	if err != nil {
		s.t.Fatalf("read a frame: %v", err)
	}
	return f
}

// until reads frames up to the first that is wanted.
func (s *screen) until(want func(frame) bool) frame {
	s.t.Helper()
	for {
		if f := s.hear(); want(f) {
			return f
		}
	}
}
