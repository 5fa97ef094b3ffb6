package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	ourHub   = "haidang's hub"
	prepared = "gorilla PreparedMessage, one frame each"
)

func (b *bench) fanOuts() []measure {
	return []measure{{"fanout", fmt.Sprintf("Fan-out: %d screens, changes of 300 bytes as fast as they are taken; a delivery is a change at a screen", b.clients),
		[]string{"deliveries/s", "CPU s/M", "changes a frame", "reached %", "RSS MiB"}, prepared, []contender{
			{prepared, nil, func(ctx context.Context, dir string) (map[string]float64, error) {
				return b.fanOut(ctx, dir, "fan-out-prepared")
			}},
			{ourHub, nil, func(ctx context.Context, dir string) (map[string]float64, error) {
				return b.fanOut(ctx, dir, "fan-out-hub", dir)
			}},
		}}}
}

// fanOut measures a server that brings changes to many screens: what these
// count, over some seconds in which everything is busy, and the server's CPU.
// The hub tells a screen that is behind only the newest of each device; how
// many changes reached the screens says what that left out.
func (b *bench) fanOut(ctx context.Context, dir, server string, args ...string) (map[string]float64, error) {
	s, p := &system{}, newPorts(dir)
	defer s.stop()
	if err := s.listens(ctx, dir, "server", p.http(), b.self, append([]string{server, p.http()}, args...)...); err != nil {
		return nil, err
	}
	serving := s.processes[0]
	if err := s.listens(ctx, dir, "screens", p.mqtt(), b.self, "fan-out-clients", p.http(), p.mqtt(), strconv.Itoa(b.clients)); err != nil {
		return nil, err
	}
	page := "http://" + p.mqtt()
	if err := quiet(ctx, page, p); err != nil {
		return nil, err
	}
	resp, err := http.Get("http://" + p.http() + "/begin")
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	time.Sleep(2 * time.Second) // until it runs evenly
	before, err := heard(page, p)
	if err != nil {
		return nil, err
	}
	cpu, begin := serving.cpu(), time.Now()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(b.fanOutFor):
	}
	after, err := heard(page, p)
	if err != nil {
		return nil, err
	}
	took, spent := time.Since(begin).Seconds(), serving.cpu()-cpu
	items := float64(after.items - before.items)
	if items == 0 {
		return nil, fmt.Errorf("nothing was delivered: %s", serving.lastWords())
	}
	return map[string]float64{"deliveries/s": items / took, "CPU s/M": spent / items * 1e6,
		"changes a frame": items / float64(after.frames-before.frames), "reached %": 100 * items / float64((after.fed-before.fed)*int64(b.clients)), "RSS MiB": serving.rss()}, nil
}

// counts are what the server has taken to tell, and what the screens have heard.
type counts struct{ fed, items, frames int64 }

func heard(page string, p ports) (c counts, err error) {
	if c.fed, err = counter("http://"+p.http()+"/fed", `count (\d+)`); err != nil {
		return c, err
	}
	if c.items, err = counter(page, `items (\d+)`); err != nil {
		return c, err
	}
	c.frames, err = counter(page, `frames (\d+)`)
	return c, err
}

// quiet waits until the screens have what a newcomer is shown.
func quiet(ctx context.Context, page string, p ports) error {
	last := counts{items: -1}
	for ctx.Err() == nil {
		c, err := heard(page, p)
		if err != nil {
			return err
		}
		if c == last {
			return nil
		}
		last = c
		time.Sleep(time.Second)
	}
	return ctx.Err()
}
