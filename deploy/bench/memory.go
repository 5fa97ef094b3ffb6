package main

import (
	"context"
	"time"
)

// The load of memory: each device on its own connection, as in the peers'
// measurements, and a rate at which nothing waits anywhere.
const (
	connected     = 10_000
	connectedRate = 950
	connectedSays = 3 // readings of each device
)

func (b *bench) memories() []measure {
	return []measure{{"memory", "Memory with 10,000 connected devices that send 950 readings a second, QoS 1: broker, ingestor and store together",
		[]string{"RSS MiB", "connected MiB", "empty MiB"}, stack.name, b.of(b.memory, stack, served, embedded)}}
}

// memory measures the servers after half a minute of steady load, with all
// devices still connected and all readings stored.
func (b *bench) memory(ctx context.Context, s *system) (map[string]float64, error) {
	empty := s.rss()
	l := load{address: s.mqtt, publishers: connected, devices: connected, window: 20, rate: connectedRate, prefix: "bench"}
	devices, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer devices.close()
	silent := s.rss()
	if err := devices.publish(ctx, connectedSays*connected); err != nil {
		return nil, err
	}
	if err := s.until(ctx, connectedSays*connected, time.Minute); err != nil {
		return nil, err
	}
	return map[string]float64{"RSS MiB": s.rss(), "connected MiB": silent, "empty MiB": empty}, nil
}
