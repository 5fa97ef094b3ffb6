package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

func (b *bench) coldStarts() []measure {
	return []measure{{"coldstart", "Cold start on an empty folder: haidang to its first page, InfluxDB to its first answer", []string{"ms", "RSS MiB"}, influxAlone,
		[]contender{{influxAlone, []string{influxd}, b.coldInflux}, {embedded.name, []string{haidang}, b.coldStart}}}}
}

// coldStart measures from the program's start to the start page, as a newcomer
// waits for it.
func (b *bench) coldStart(ctx context.Context, dir string) (map[string]float64, error) {
	begin := time.Now()
	s, err := embedded.start(ctx, b, dir)
	if s != nil {
		defer s.stop()
	}
	if err != nil {
		return nil, err
	}
	resp, err := http.Get(s.http + "/")
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the first page answers %s", resp.Status)
	}
	return map[string]float64{"ms": sinceMs(begin), "RSS MiB": s.rss()}, nil
}

func (b *bench) coldInflux(ctx context.Context, dir string) (map[string]float64, error) {
	s, p := &system{}, newPorts(dir)
	defer s.stop()
	begin := time.Now()
	if err := s.addInflux(ctx, b, p); err != nil {
		return nil, err
	}
	if _, err := get(p.influx().question("SHOW DATABASES")); err != nil {
		return nil, err
	}
	return map[string]float64{"ms": sinceMs(begin), "RSS MiB": s.rss()}, nil
}

func sinceMs(begin time.Time) float64 { return float64(time.Since(begin).Microseconds()) / 1000 }
