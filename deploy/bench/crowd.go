package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// crowd is the usual way to bring messages to many websockets: each is framed
// once, as gorilla's PreparedMessage, and each client has a bounded queue and
// a goroutine that writes it a frame a message.
type crowd struct {
	mu     sync.RWMutex
	queues map[chan *websocket.PreparedMessage]struct{}
}

// crowdQueue is how many messages wait for a client at most.
const crowdQueue = 1024

func newCrowd() *crowd { return &crowd{queues: map[chan *websocket.PreparedMessage]struct{}{}} }

var crowdUpgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}

// enter makes a request one of the crowd until its client leaves.
func (c *crowd) enter(w http.ResponseWriter, r *http.Request) {
	conn, err := crowdUpgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer conn.Close()
	queue := make(chan *websocket.PreparedMessage, crowdQueue)
	c.mu.Lock()
	c.queues[queue] = struct{}{}
	c.mu.Unlock()
	go func() {
		for m := range queue {
			if conn.WritePreparedMessage(m) != nil {
				conn.Close() // and take on, so that nobody waits
			}
		}
	}()
	for {
		if _, _, err := conn.NextReader(); err != nil {
			break
		}
	}
	c.mu.Lock()
	delete(c.queues, queue)
	close(queue)
	c.mu.Unlock()
}

// broadcast queues a message for all. For whom the queue is full it waits, or
// else leaves the message out.
func (c *crowd) broadcast(text []byte, wait bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if len(c.queues) == 0 {
		return
	}
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		return
	}
	for queue := range c.queues {
		if wait {
			queue <- m
			continue
		}
		select {
		case queue <- m:
		default:
		}
	}
}

// servePrepared floods a crowd once /begin was asked for. Argument: address.
func servePrepared(args []string) error {
	c := newCrowd()
	var fed atomic.Int64
	begin := sync.OnceFunc(func() {
		go func() {
			for n := 0; ; n++ {
				c.broadcast(changedItem(n), true)
				fed.Add(1)
			}
		}()
	})
	http.HandleFunc("/ws", c.enter)
	http.HandleFunc("/fed", tell(&fed))
	http.HandleFunc("/begin", func(http.ResponseWriter, *http.Request) { begin() })
	return http.ListenAndServe(args[0], nil)
}

// changedItem is a change as haidang's hub would send it of one of its devices.
func changedItem(n int) []byte {
	temp, humidity, pm25, battery := floodValues(n)
	return fmt.Appendf(nil, `{"k":"d","id":"%s","type":"generic","name":"%s","lat":17.46832,"lon":106.62215,"state":"live","conn":"unknown",`+
		`"ts":"2026-11-25T01:02:03.%03dZ","seen":"2026-11-25T01:02:03.%03dZ","values":{"battery_v":%.2f,"humidity":%.2f,"pm25":%.2f,"temp":%.2f}}`,
		floodID(n%floodFleet), floodName(n%floodFleet), n%1000, n%1000, battery, humidity, pm25, temp)
}
