package main

import (
	"context"
	"fmt"
	"time"
)

const loadTitle = "%d of about 200 bytes, 50 publishers, 20 in flight each, 1,000 devices"

func (b *bench) throughputs() []measure {
	return []measure{{"throughput", fmt.Sprintf("Readings in, QoS 1: "+loadTitle, b.readings), []string{"stored/s", "CPU s/M", "RSS MiB"}, stack.name,
		b.of(b.throughput, stack, served, servedInflux, embedded, bare)}}
}

// promises are what it costs to acknowledge only what is synced: the same
// program, once built to acknowledge what is only queued.
func (b *bench) promises() []measure {
	return []measure{{"promise", fmt.Sprintf("Price of the promise, broker inside: "+loadTitle, b.readings), []string{"stored/s", "acknowledged/s", "CPU s/M"}, atOnce.name,
		b.of(b.throughput, atOnce, after)}}
}

// flood is the load of a throughput round: as fast as it is acknowledged.
func flood(s *system) load {
	return load{address: s.mqtt, publishers: 50, devices: 1000, window: 20, prefix: "bench"}
}

// warm makes every device known before the clock runs.
func (l load) warm(ctx context.Context, s *system) error {
	err := l.publish(ctx, 2*l.devices)
	if err == nil {
		err = s.until(ctx, int64(2*l.devices), time.Minute)
	}
	if err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	return nil
}

// throughput measures readings a second from the first publish until the
// last is stored, and the CPU that all servers together spent on a million.
func (b *bench) throughput(ctx context.Context, s *system) (map[string]float64, error) {
	l := flood(s)
	if err := l.warm(ctx, s); err != nil {
		return nil, err
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
