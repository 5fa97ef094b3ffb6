package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"text/template"
	"time"
)

//go:embed conf/*
var configs embed.FS

// system is one way to take readings in, running.
type system struct {
	mqtt, http string
	processes  []*process
	stored     func() (int64, error) // readings kept since its start
}

// kind is a system by name, with how it is started.
type kind struct {
	name  string
	start func(ctx context.Context, b *bench, dir string) (*system, error)
}

const (
	embedded = "haidang demo (embedded broker)"
	served   = "haidang serve + mosquitto"
	telegraf = "mosquitto → Telegraf → InfluxDB"
	bare     = "mosquitto → bare paho subscriber"
)

var kinds = []kind{
	{telegraf, startTelegraf},
	{embedded, startDemo},
	{served, startServe},
	{bare, startBare},
}

func (s *system) stop() {
	for i := len(s.processes) - 1; i >= 0; i-- {
		s.processes[i].stop()
	}
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

// add starts one more process of the system, and waits for its port.
func (s *system) add(ctx context.Context, dir, name, listens string, program string, args ...string) error {
	p, err := start(dir, name, nil, program, args...)
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	if listens == "" {
		return nil
	}
	return p.listening(ctx, listens)
}

// ports fills the configurations; each system of each round has its own.
type ports struct {
	MQTTPort, HTTPPort, InfluxPort, InfluxRPCPort int
	Data                                          string
	TokenHash                                     string
}

func newPorts(dir string) ports {
	return ports{freePort(), freePort(), freePort(), freePort(), dir, fmt.Sprintf("%x", sha256.Sum256([]byte(token)))}
}

func (p ports) write(dir, name string) (string, error) {
	t, err := template.ParseFS(configs, "conf/"+name)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}

func withMosquitto(ctx context.Context, b *bench, dir string) (*system, ports, error) {
	p := newPorts(dir)
	config, err := p.write(dir, "mosquitto.conf")
	if err != nil {
		return nil, p, err
	}
	s := &system{mqtt: fmt.Sprintf("127.0.0.1:%d", p.MQTTPort)}
	if b.mosquitto == "" {
		return s, p, errors.New("mosquitto is not installed")
	}
	return s, p, s.add(ctx, dir, "mosquitto", s.mqtt, b.mosquitto, "-c", config)
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

func startDemo(ctx context.Context, b *bench, dir string) (*system, error) {
	seen := &banner{seen: make(chan struct{})}
	p, err := start(dir, "haidang", seen, b.haidang, "demo", "--no-sim", "--register-unknown",
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

func startServe(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	config, err := p.write(dir, "haidang.toml")
	if err != nil {
		return s, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", p.HTTPPort)
	s.http = "http://" + address
	s.stored = func() (int64, error) { return haidangStored(s.http) }
	if err := s.add(ctx, dir, "haidang", address, b.haidang, "serve", "--config", config); err != nil {
		return s, err
	}
	return s, ready(ctx, s.http)
}

func startTelegraf(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	influx, err := p.write(dir, "influxdb.conf")
	if err != nil {
		return s, err
	}
	agent, err := p.write(dir, "telegraf.conf")
	if err != nil {
		return s, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", p.InfluxPort)
	s.stored = func() (int64, error) { return counter("http://"+address+"/debug/vars", `"pointsWrittenOK":(\d+)`) }
	if err := s.add(ctx, dir, "influxd", address, filepath.Join(b.tools, "influxd"), "-config", influx); err != nil {
		return s, err
	}
	if err := s.add(ctx, dir, "telegraf", "", filepath.Join(b.tools, "telegraf"), "--config", agent); err != nil {
		return s, err
	}
	time.Sleep(3 * time.Second) // it has no port; its session must stand before the load comes
	return s, nil
}

func startBare(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", p.HTTPPort)
	s.stored = func() (int64, error) { return counter("http://"+address, `count (\d+)`) }
	return s, s.add(ctx, dir, "subscriber", address, b.self, "bare-subscriber", "tcp://"+s.mqtt, address)
}
