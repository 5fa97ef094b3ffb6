package main

import (
	"context"
	"path/filepath"
	"time"
)

// startInflux starts InfluxDB on what is in its folder.
func (s *system) startInflux(b *bench, p ports) error {
	config, err := p.write("influxdb.conf")
	if err == nil {
		_, err = s.add(p.Data, influxd, b.program(influxd), "-config", config)
	}
	return err
}

// addInflux starts InfluxDB and waits until it listens.
func (s *system) addInflux(ctx context.Context, b *bench, p ports) error {
	if err := s.startInflux(b, p); err != nil {
		return err
	}
	return s.processes[len(s.processes)-1].listening(ctx, p.influx().address())
}

func startTelegraf(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	if err := s.addInflux(ctx, b, p); err != nil {
		return s, err
	}
	agent, err := p.write("telegraf.conf")
	if err != nil {
		return s, err
	}
	s.stored = p.influx().written
	s.consume = func() error {
		_, err := s.add(dir, telegraf, b.program(telegraf), "--config", agent)
		return err
	}
	s.stands = func(ctx context.Context) error {
		select {
		case <-time.After(3 * time.Second): // it has no port that would tell
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s, s.begin(ctx)
}

func startBare(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	s.stored = func() (int64, error) { return counter("http://"+p.http(), `count (\d+)`) }
	return s, s.listens(ctx, dir, "subscriber", p.http(), b.self, "bare-subscriber", "tcp://"+s.mqtt, p.http())
}

func startFloor(ctx context.Context, b *bench, dir string) (*system, error) {
	s, p, err := withMosquitto(ctx, b, dir)
	if err != nil {
		return s, err
	}
	s.http = "http://" + p.http()
	s.stored = func() (int64, error) { return counter(s.http, `count (\d+)`) }
	return s, s.listens(ctx, dir, "pipeline", p.http(), b.self, "bare-pipeline", "tcp://"+s.mqtt, p.http(), filepath.Join(dir, "floor.db"))
}
