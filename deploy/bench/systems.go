package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// system is one way to take readings in, running.
type system struct {
	mqtt, http string
	processes  []*process
	stored     func() (int64, error) // readings kept since its start

	// consume starts what takes readings from the broker, as the last of the
	// processes, and stands waits until its subscription does. Only systems
	// with a broker outside have them: their consumer can be away.
	consume func() error
	stands  func(context.Context) error
}

// kind is a system by name, with how it is started.
type kind struct {
	name  string
	needs []string
	start func(ctx context.Context, b *bench, dir string) (*system, error)
}

// The systems that take readings.
var (
	served       = kind{"haidang serve + mosquitto", []string{haidang, mosquitto}, startServe}
	servedInflux = kind{"haidang serve + mosquitto + InfluxDB", []string{haidang, mosquitto, influxd}, startServeInflux}
	embedded     = kind{"haidang demo (embedded broker)", []string{haidang}, startDemo(haidang)}
	after        = kind{"acknowledged after the commit", []string{haidang}, startDemo(haidang)}
	atOnce       = kind{"acknowledged at once (measuring build)", []string{haidangEarly}, startDemo(haidangEarly)}
	stack        = kind{"mosquitto → Telegraf → InfluxDB", []string{mosquitto, telegraf, influxd}, startTelegraf}
	bare         = kind{"mosquitto → bare paho subscriber", []string{mosquitto}, startBare}
	floor        = kind{"mosquitto → bare Go pipeline", []string{mosquitto}, startFloor}
)

func (s *system) stop() {
	for i := len(s.processes) - 1; i >= 0; i-- {
		s.processes[i].stop()
	}
}

// halt stops the consumer; its broker keeps what comes.
func (s *system) halt() {
	last := len(s.processes) - 1
	s.processes[last].stop()
	s.processes = s.processes[:last]
}

func (s *system) cpu() (sum float64) {
	for _, p := range s.processes {
		sum += p.cpu()
	}
	return sum
}

func (s *system) rss() (sum float64) {
	for _, p := range s.processes {
		sum += p.rss()
	}
	return sum
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

// add starts one more process of the system.
func (s *system) add(dir, name string, program string, args ...string) (*process, error) {
	p, err := start(dir, name, nil, program, args...)
	if err == nil {
		s.processes = append(s.processes, p)
	}
	return p, err
}

// listens starts one more process and waits for its port.
func (s *system) listens(ctx context.Context, dir, name, address string, program string, args ...string) error {
	p, err := s.add(dir, name, program, args...)
	if err != nil {
		return err
	}
	return p.listening(ctx, address)
}

func withMosquitto(ctx context.Context, b *bench, dir string) (*system, ports, error) {
	p := newPorts(dir)
	config, err := p.write("mosquitto.conf")
	if err != nil {
		return nil, p, err
	}
	s := &system{mqtt: p.mqtt()}
	if b.mosquitto == "" {
		return s, p, errors.New("mosquitto is not installed")
	}
	return s, p, s.listens(ctx, dir, "mosquitto", s.mqtt, b.mosquitto, "-c", config)
}

// begin starts the consumer and waits until nothing that comes is lost.
func (s *system) begin(ctx context.Context) error {
	if err := s.consume(); err != nil {
		return err
	}
	return s.stands(ctx)
}

func startServe(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	return s, s.serve(ctx, b, p)
}

// startInside starts haidang serve with its broker inside.
func startInside(ctx context.Context, b *bench, dir string) (*system, ports, error) {
	s, p, err := withinItself(ctx, b, dir)
	if err != nil {
		return s, p, err
	}
	return s, p, s.serve(ctx, b, p)
}

// withinItself is a system of one process, with its broker inside.
func withinItself(_ context.Context, _ *bench, dir string) (*system, ports, error) {
	p := newPorts(dir)
	p.Inside = true
	return &system{mqtt: p.mqtt()}, p, nil
}

// startServeInflux also has a reading stored only when InfluxDB has it.
func startServeInflux(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	if err := s.addInflux(ctx, b, p); err != nil {
		return s, err
	}
	if err := p.influx().create(database); err != nil {
		return s, err
	}
	p.Bucket = database + "/autogen"
	if err := s.serve(ctx, b, p); err != nil {
		return s, err
	}
	s.stored = p.influx().written
	return s, nil
}

// serve starts haidang serve in a system whose broker runs, or which has it
// inside.
func (s *system) serve(ctx context.Context, b *bench, p ports) error {
	config, err := p.write("haidang.toml")
	if err != nil {
		return err
	}
	s.http = "http://" + p.http()
	s.stored = func() (int64, error) { return haidangStored(s.http) }
	s.consume = func() error {
		_, err := s.add(p.Data, "haidang", b.program(haidang), "serve", "--config", config)
		return err
	}
	s.stands = func(ctx context.Context) error {
		if err := s.processes[len(s.processes)-1].listening(ctx, p.http()); err != nil {
			return err
		}
		return ready(ctx, s.http)
	}
	return s.begin(ctx)
}

// banner catches the JSON line that demo prints last.
type banner struct {
	mu   sync.Mutex
	text []byte
	seen chan struct{}
	HTTP string `json:"http"`
	MQTT string `json:"mqtt"`
}

func (b *banner) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	for {
		line, rest, ok := bytes.Cut(b.text, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		b.text = rest
		if b.HTTP == "" && json.Unmarshal(line, b) == nil && b.HTTP != "" {
			close(b.seen)
		}
	}
}

func startDemo(program string) func(context.Context, *bench, string) (*system, error) {
	return func(ctx context.Context, b *bench, dir string) (*system, error) {
		seen := &banner{seen: make(chan struct{})}
		p, err := start(dir, program, seen, b.program(program), "demo", "--no-sim", "--register-unknown",
			"--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
		if err != nil {
			return nil, err
		}
		s := &system{processes: []*process{p}}
		select {
		case <-seen.seen:
		case <-p.done:
			return s, fmt.Errorf("haidang demo ended: %s", p.lastWords())
		case <-ctx.Done():
			return s, fmt.Errorf("haidang demo shows no banner: %s", p.lastWords())
		case <-time.After(time.Minute):
			return s, fmt.Errorf("haidang demo shows no banner within a minute: %s", p.lastWords())
		}
		s.http, s.mqtt = seen.HTTP, hostOf(seen.MQTT)
		s.stored = func() (int64, error) { return haidangStored(s.http) }
		return s, ready(ctx, s.http)
	}
}
