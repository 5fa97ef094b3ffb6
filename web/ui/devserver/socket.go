package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{}

// socket answers each subscription with a snapshot, and stats every second.
func (w *world) socket(rw http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	var mu sync.Mutex // one writer at a time
	send := func(typ, channel string, items []m) {
		mu.Lock()
		defer mu.Unlock()
		if items == nil {
			items = []m{}
		}
		conn.WriteJSON(m{"type": typ, "channel": channel, "epoch": "canned", "seq": len(items), "items": items})
	}
	done := make(chan struct{})
	defer close(done)
	for {
		var rq struct{ Type, Channel string }
		if conn.ReadJSON(&rq) != nil {
			return
		}
		switch {
		case rq.Type == "ping":
			mu.Lock()
			conn.WriteJSON(m{"type": "pong"})
			mu.Unlock()
		case rq.Type != "subscribe":
		case rq.Channel == "map":
			send("snapshot", "map", w.mapItems())
		case rq.Channel == "alerts":
			send("snapshot", "alerts", w.alerts)
		case rq.Channel == "reports":
			send("snapshot", "reports", w.reports)
		case rq.Channel == "work-orders":
			send("snapshot", "work-orders", w.orders)
		case rq.Channel == "stats":
			go func() {
				tick := time.NewTicker(time.Second)
				defer tick.Stop()
				for {
					send("delta", "stats", []m{w.stats()})
					select {
					case <-done:
						return
					case <-tick.C:
					}
				}
			}()
		}
	}
}

func (w *world) mapItems() []m {
	var out []m
	if w.scene == "flood" { // a fleet too big to show one by one
		for i, n := range []m{{"n": 812, "live": 797, "late": 3, "silent": 12, "never": 0}, {"n": 40, "live": 36, "late": 4, "silent": 0, "never": 0}, {"n": 250, "live": 250, "late": 0, "silent": 0, "never": 0}} {
			n["k"], n["id"], n["lat"], n["lon"] = "c", fmt.Sprint(i), 17.2+0.3*float64(i), 106.2+0.5*float64(i)
			out = append(out, n)
		}
		return out
	}
	for _, d := range w.devices {
		it := m{"k": "d", "id": d["id"], "type": d["type"], "name": d["name"], "lat": d["lat"], "lon": d["lon"], "state": d["state"], "conn": d["connection"], "values": d["map"]}
		if d["tail"] != nil {
			it["tail"], it["course"] = d["tail"], d["course"]
		}
		out = append(out, it)
	}
	return out
}
