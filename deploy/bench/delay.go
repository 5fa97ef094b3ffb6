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
	l := load{address: s.mqtt, publishers: 50, devices: 1000, window: 20, rate: rate, prefix: "bench", stamped: true}
	if err := l.warm(ctx, s); err != nil {
		return nil, err
	}
	screens := make([]*wall, walls)
	conns := make([]*websocket.Conn, walls)
	for i := range screens {
		conn, err := openWall(ctx, s.http)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		screens[i], conns[i] = newWall(l), conn
	}
	time.Sleep(time.Second) // what they are shown first is no news
	var wg sync.WaitGroup
	begin := time.Now()
	for i, screen := range screens {
		screen.from = begin
		wg.Go(func() { screen.watch(conns[i]) })
	}
	n := int(float64(rate) * b.delayFor.Seconds())
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
		return nil, errors.New("no wall was shown a single reading")
	}
	slices.Sort(all)
	return map[string]float64{
		"p50 ms": quantile(all, 0.5), "p99 ms": quantile(all, 0.99), "max ms": all[len(all)-1], "shown %": 100 * float64(len(all)) / float64(n*walls),
	}, nil
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
