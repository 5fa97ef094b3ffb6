package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// memory measures the servers with ten thousand simulated devices connected,
// each on its own connection, after all have spoken and half a minute more.
func (b *bench) memory(ctx context.Context, s *system) (map[string]float64, error) {
	const devices = 10_000
	empty := s.rss()
	sim, err := start(b.dir, "firmware-sim", nil, b.sim, "--mqtt", "tcp://"+s.mqtt, "--devices", fmt.Sprint(devices))
	if err != nil {
		return nil, err
	}
	defer sim.stop()
	if err := s.until(ctx, devices, 5*time.Minute); err != nil {
		return nil, fmt.Errorf("wait for %d devices: %w", devices, err)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(30 * time.Second):
	}
	return map[string]float64{"empty MiB": empty, "RSS MiB": s.rss(), "simulator MiB": sim.rss()}, nil
}

// coldStart measures from the program's start to the start page, as a newcomer
// waits for it.
func (b *bench) coldStart(ctx context.Context, dir string) (map[string]float64, error) {
	begin := time.Now()
	s, err := startDemo(ctx, b, dir)
	if s != nil {
		defer s.stop()
	}
	if err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		resp, err := http.Get(s.http + "/")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return map[string]float64{"ms": float64(time.Since(begin).Microseconds()) / 1000, "RSS MiB": s.rss()}, nil
			}
			return nil, fmt.Errorf("the first page answers %s", resp.Status)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil, ctx.Err()
}
