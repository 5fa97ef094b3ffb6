package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	walls     = 10
	delayRate = 1000
)

// wall is a screen that takes the time of each reading it is shown.
type wall struct {
	prefix string
	from   time.Time // readings before are warm-up
	delays []float64 // ms
}

// delay measures from the device's clock, put into the reading just before
// its write, to the frame's arrival at each wall. Fix times have whole
// milliseconds, so each value is up to 1 ms too large, never too small.
func (b *bench) delay(ctx context.Context, s *system) (map[string]float64, error) {
	l := load{address: s.mqtt, publishers: 50, devices: 1000, window: 20, rate: delayRate, prefix: "bench"}
	if err := l.publish(ctx, 2*l.devices); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	screens := make([]*wall, walls)
	conns := make([]*websocket.Conn, walls)
	for i := range screens {
		conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(s.http, "http")+"/ws", signedIn)
		if err != nil {
			return nil, fmt.Errorf("open wall: %w", err)
		}
		defer conn.Close()
		if err := conn.WriteJSON(map[string]any{"type": "subscribe", "channel": "map", "bbox": []float64{105, 16, 109, 19}, "zoom": 12}); err != nil {
			return nil, fmt.Errorf("subscribe wall: %w", err)
		}
		screens[i], conns[i] = &wall{prefix: l.prefix}, conn
	}
	time.Sleep(time.Second)
	var wg sync.WaitGroup
	begin := time.Now()
	for i, screen := range screens {
		screen.from = begin
		wg.Go(func() { screen.watch(conns[i]) })
	}
	n := delayRate * int(b.delayFor.Seconds())
	err := l.publish(ctx, n)
	time.Sleep(2 * time.Second)
	for _, conn := range conns {
		conn.Close()
	}
	wg.Wait()
	if err != nil {
		return nil, err
	}
	var all []float64
	for _, screen := range screens {
		all = append(all, screen.delays...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no wall was shown a single reading")
	}
	slices.Sort(all)
	return map[string]float64{
		"p50 ms": all[len(all)/2], "p99 ms": all[len(all)*99/100], "max ms": all[len(all)-1], "shown %": 100 * float64(len(all)) / float64(n*walls),
	}, nil
}

func (w *wall) watch(conn *websocket.Conn) {
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return
		}
		now := time.Now()
		var f struct {
			Type, Channel string
			Items         []struct {
				K, ID string
				TS    json.RawMessage
			}
		}
		if json.Unmarshal(frame, &f) != nil || f.Type != "delta" || f.Channel != "map" {
			continue
		}
		for _, item := range f.Items {
			at, ok := moment(item.TS)
			if ok && item.K == "d" && strings.HasPrefix(item.ID, w.prefix) && !at.Before(w.from) {
				w.delays = append(w.delays, float64(now.Sub(at).Microseconds())/1000)
			}
		}
	}
}

// moment reads a time in either of the published forms.
func moment(raw json.RawMessage) (time.Time, bool) {
	var t time.Time
	if json.Unmarshal(raw, &t) == nil && !t.IsZero() {
		return t, true
	}
	var ms int64
	if json.Unmarshal(raw, &ms) == nil && ms > 0 {
		return time.UnixMilli(ms), true
	}
	return t, false
}
