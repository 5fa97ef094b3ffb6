package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"haidang/ingest/journal"
)

const (
	killedServe = "haidang serve (embedded broker)"
	influxAlone = "InfluxDB 1.8"
)

func (b *bench) recoveries() []measure {
	return []measure{{"recover", fmt.Sprintf("After kill -9 with %d readings stored: from the start of the process to the answer to a question", b.kept),
		[]string{"ms", "kept %"}, influxAlone, []contender{
			{influxAlone, []string{influxd}, b.recoverInflux},
			{killedServe, []string{haidang}, b.recoverServe},
		}}}
}

// recoverServe asks for a device's readings of the last day; what is kept is
// counted in the journal itself, after the end.
func (b *bench) recoverServe(ctx context.Context, dir string) (map[string]float64, error) {
	s, p, err := startInside(ctx, b, dir)
	if s != nil {
		defer s.stop()
	}
	if err != nil {
		return nil, err
	}
	l := flood(s)
	if err := l.publish(ctx, b.kept); err != nil {
		return nil, err
	}
	if err := s.until(ctx, int64(b.kept), 2*time.Minute); err != nil {
		return nil, err
	}
	s.processes[0].kill()
	s.processes = nil
	begin := time.Now()
	if err := s.consume(); err != nil {
		return nil, err
	}
	err = s.answers(ctx, func() error {
		resp, err := http.Get(s.http + "/readyz")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		body, err := get(s.http + "/api/v1/devices/" + l.id(0) + "/readings")
		if err != nil {
			return err
		}
		var answer struct{ Items []json.RawMessage }
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if len(answer.Items) == 0 {
			return errors.New("the device has no readings")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	took := sinceMs(begin)
	s.processes[0].stop()
	j, err := journal.Open(ctx, filepath.Join(p.folder(), "journal"))
	if err != nil {
		return nil, err
	}
	defer j.Close()
	return map[string]float64{"ms": took, "kept %": 100 * float64(j.Head()) / float64(b.kept)}, nil
}

// recoverInflux has a point for each reading of the same load, and is asked for
// the same of them.
func (b *bench) recoverInflux(ctx context.Context, dir string) (map[string]float64, error) {
	s, p := &system{}, newPorts(dir)
	defer s.stop()
	if err := s.addInflux(ctx, b, p); err != nil {
		return nil, err
	}
	db := p.influx()
	if err := db.create(database); err != nil {
		return nil, err
	}
	l := flood(s)
	if err := db.fill(ctx, l.points(b.kept)); err != nil {
		return nil, err
	}
	s.processes[0].kill()
	s.processes = nil
	begin := time.Now()
	if err := s.startInflux(b, p); err != nil {
		return nil, err
	}
	err := s.answers(ctx, func() error {
		n, err := db.ask(`SELECT * FROM generic WHERE device = '%s' AND time > now() - 1d LIMIT 1000`, l.id(0))
		if err == nil && len(n) == 0 {
			err = errors.New("the device has no points")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	took := sinceMs(begin)
	kept, err := db.ask(`SELECT count(pm25) FROM generic`)
	if err != nil || len(kept) == 0 {
		return nil, fmt.Errorf("count what is kept: %v", err)
	}
	return map[string]float64{"ms": took, "kept %": 100 * kept[0] / float64(b.kept)}, nil
}

// answers asks, every other millisecond, until there is an answer.
func (s *system) answers(ctx context.Context, ask func() error) error {
	p := s.processes[len(s.processes)-1]
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; {
		if err = ask(); err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %s", p.name, p.lastWords())
		case <-time.After(2 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer: %w", p.name, err)
}
