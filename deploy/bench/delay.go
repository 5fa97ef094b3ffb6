package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const walls = 10

func (b *bench) delays() (ms []measure) {
	for _, rate := range []int{1000, 5000} {
		ms = append(ms, measure{"delay", fmt.Sprintf("Device to wall: %d readings a second, QoS 1, %d walls", rate, walls),
			[]string{"p50 ms", "p99 ms", "max ms", "shown %"}, floor.name, b.of(func(ctx context.Context, s *system) (map[string]float64, error) {
				return b.delay(ctx, s, rate)
			}, floor, served, embedded)})
	}
	return ms
}

// delay measures from the device's clock, put into the reading just before
// its write, to the frame's arrival at each wall.
func (b *bench) delay(ctx context.Context, s *system, rate int) (map[string]float64, error) {
	l := paced(s, rate)
	if err := l.warm(ctx, s); err != nil {
		return nil, err
	}
	screens, err := watchWalls(ctx, s, l)
	if err != nil {
		return nil, err
	}
	n := int(float64(rate) * b.delayFor.Seconds())
	err = l.publish(ctx, n)
	delays := screens.end()
	if err != nil {
		return nil, err
	}
	return delayFigures(delays, n)
}

// paced is a load of so many readings a second whose delay can be told.
func paced(s *system, rate int) load {
	l := flood(s)
	l.rate, l.stamped = rate, true
	return l
}

func delayFigures(delays []float64, n int) (map[string]float64, error) {
	if len(delays) == 0 {
		return nil, errors.New("no wall was shown a single reading")
	}
	slices.Sort(delays)
	return map[string]float64{
		"p50 ms": quantile(delays, 0.5), "p99 ms": quantile(delays, 0.99), "max ms": delays[len(delays)-1], "shown %": 100 * float64(len(delays)) / float64(n*walls),
	}, nil
}

// watched are walls that look on.
type watched struct {
	screens []*wall
	conns   []*websocket.Conn
	done    sync.WaitGroup
}

// watchWalls opens the walls. What is published from its return on counts.
func watchWalls(ctx context.Context, s *system, l load) (*watched, error) {
	w := &watched{}
	for range walls {
		conn, err := openWall(ctx, s.http)
		if err != nil {
			w.close()
			return nil, err
		}
		w.screens, w.conns = append(w.screens, newWall(l)), append(w.conns, conn)
	}
	time.Sleep(time.Second) // what they are shown first is no news
	begin := time.Now()
	for i, screen := range w.screens {
		screen.from = begin
		w.done.Go(func() { screen.watch(w.conns[i]) })
	}
	return w, nil
}

// end waits for what is on its way and gives the delays of all walls.
func (w *watched) end() (all []float64) {
	time.Sleep(2 * time.Second)
	w.close()
	w.done.Wait()
	for _, screen := range w.screens {
		all = append(all, screen.delays...)
	}
	return all
}

func (w *watched) close() {
	for _, conn := range w.conns {
		conn.Close()
	}
}

// openWall connects a screen that looks at the map where the load's devices are.
func openWall(ctx context.Context, base string) (*websocket.Conn, error) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(base, "http")+"/ws", signedIn)
	if err != nil {
		return nil, fmt.Errorf("open wall: %w", err)
	}
	if err := conn.WriteMessage(websocket.TextMessage, []byte(lookAtMap)); err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscribe wall: %w", err)
	}
	return conn, nil
}

// lookAtMap asks for the map, near enough to be shown single devices.
const lookAtMap = `{"type":"subscribe","channel":"map","bbox":[105,16,109,19],"zoom":12}`
