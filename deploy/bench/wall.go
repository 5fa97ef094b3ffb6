package main

import (
	"bytes"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// wall is a screen that takes the time of each reading it is shown.
type wall struct {
	mark   []byte         // what an item of the load's devices begins its name with
	from   time.Time      // readings before are warm-up
	shown  map[string]int // by device, the stamp last seen
	delays []float64      // ms
}

func newWall(l load) *wall {
	return &wall{mark: []byte(`"id":"` + l.prefix + "-"), shown: make(map[string]int, l.devices)}
}

func (w *wall) watch(conn *websocket.Conn) {
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return
		}
		w.take(frame, time.Now())
	}
}

// take looks for the load's devices in a frame and for the stamp that follows
// each. To decode all of it would cost as much as the servers under
// measurement, on the same cores. An item that is sent again because its
// device grew late shows no new reading.
func (w *wall) take(frame []byte, now time.Time) {
	for {
		_, rest, ok := bytes.Cut(frame, w.mark)
		if !ok {
			return
		}
		id, rest, _ := bytes.Cut(rest, []byte(`"`))
		_, rest, ok = bytes.Cut(rest, []byte(`"sent_us":`))
		if !ok {
			return
		}
		frame = rest
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		stamp, err := strconv.Atoi(string(rest[:digits]))
		if err != nil || w.shown[string(id)] == stamp {
			continue
		}
		w.shown[string(id)] = stamp
		if at := time.UnixMicro(int64(stamp)); !at.Before(w.from) {
			w.delays = append(w.delays, float64(now.Sub(at).Microseconds())/1000)
		}
	}
}
