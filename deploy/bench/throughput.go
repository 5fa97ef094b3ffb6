package main

import (
	"context"
	"fmt"
	"time"
)

// throughput measures readings a second from the first publish until the
// last is stored, and the CPU that all servers together spent on a million.
func (b *bench) throughput(ctx context.Context, s *system) (map[string]float64, error) {
	l := load{address: s.mqtt, publishers: 50, devices: 1000, window: 20, prefix: "bench"}
	// Warm up: every device is known before the clock runs.
	if err := l.publish(ctx, 2*l.devices); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	if err := s.until(ctx, int64(2*l.devices), time.Minute); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	before, err := s.stored()
	if err != nil {
		return nil, err
	}
	cpu, begin := s.cpu(), time.Now()
	if err := l.publish(ctx, b.readings); err != nil {
		return nil, err
	}
	acked := time.Since(begin)
	if err := s.until(ctx, before+int64(b.readings), 2*time.Minute); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	n := float64(b.readings)
	return map[string]float64{
		"stored/s": n / took.Seconds(), "acknowledged/s": n / acked.Seconds(), "CPU s/M": (s.cpu() - cpu) / n * 1e6, "RSS MiB": s.rss(),
	}, nil
}

// until waits for a count of stored readings.
func (s *system) until(ctx context.Context, want int64, atMost time.Duration) error {
	var n int64
	var err error
	for end := time.Now().Add(atMost); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(25 * time.Millisecond) {
		if n, err = s.stored(); err == nil && n >= want {
			return nil
		}
	}
	return fmt.Errorf("%d of %d readings stored within %s (%v)", n, want, atMost, err)
}
