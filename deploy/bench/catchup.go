package main

import (
	"context"
	"fmt"
	"time"
)

func (b *bench) catchUps() []measure {
	return []measure{{"catchup", fmt.Sprintf("Catching up after the consumer was down for %d readings, QoS 1, from the start of its process", b.backlog),
		[]string{"stored/s", "CPU s/M", "delivered %"}, stack.name, b.of(b.catchUp, stack, served)}}
}

// catchUp measures a consumer that comes back to a broker that kept what came
// meanwhile, until all of it is stored.
func (b *bench) catchUp(ctx context.Context, s *system) (map[string]float64, error) {
	l := flood(s)
	if err := l.warm(ctx, s); err != nil {
		return nil, err
	}
	s.halt()
	if err := l.publish(ctx, b.backlog); err != nil {
		return nil, err
	}
	before, err := s.stored()
	if err != nil {
		before = 0 // it counts itself, and from its start
	}
	cpu, begin := s.cpu(), time.Now()
	if err := s.consume(); err != nil {
		return nil, err
	}
	if err := s.until(ctx, before+int64(b.backlog), 2*time.Minute); err != nil {
		return nil, err
	}
	took, n := time.Since(begin), float64(b.backlog)
	spent := s.cpu() - cpu
	time.Sleep(time.Second) // what comes beyond would be there twice
	all, err := s.stored()
	if err != nil {
		return nil, err
	}
	return map[string]float64{"stored/s": n / took.Seconds(), "CPU s/M": spent / n * 1e6, "delivered %": 100 * float64(all-before) / n}, nil
}
