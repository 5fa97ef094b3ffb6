package influx_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"

	"haidang/devices"
	"haidang/devices/statedb/statedbtest"
	"haidang/ingest"
	"haidang/ingest/influx"
	"haidang/ingest/ingesttest"
	"haidang/ingest/journal"
)

type registry struct{}

func (registry) Get(id devices.ID) (*devices.Device, bool) {
	return &devices.Device{ID: id, Type: ingesttest.HistoryType, Area: "dong-hoi"}, true
}

// What the journal holds comes back from InfluxDB under the journal's own
// contract, by way of the writer.
func TestInfluxDBAnswersHistory(t *testing.T) {
	ingesttest.RunHistoryTests(t, func(t *testing.T, readings []ingest.Reading) ingest.History {
		server := ingesttest.StartInflux(t)
		db := statedbtest.Open(t)
		cursor, err := influx.NewCursor(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		j, err := journal.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { j.Close() })
		entries := make([]ingest.Entry, len(readings))
		for i := range readings {
			entries[i].Reading = &readings[i]
		}
		if _, err := j.Append(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		cfg := influx.Config{URL: server.URL, Bucket: server.Bucket}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- influx.NewWriter(cfg, registry{}, cursor, nil, slog.New(slog.DiscardHandler)).Run(ctx, j)
		}()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if p, err := cursor.Load(t.Context()); err != nil || time.Now().After(end) {
				t.Fatalf("the writer is at %d of %d: %v", p, j.Head(), err)
			} else if p == j.Head() {
				break
			}
		}
		stop()
		<-ended
		h := influx.NewHistory(cfg)
		t.Cleanup(h.Close)
		return h
	})
}

// A device that moved to another area has two series; history joins them.
func TestHistoryAcrossAreas(t *testing.T) {
	server := ingesttest.StartInflux(t)
	client := influxdb2.NewClient(server.URL, "")
	defer client.Close()
	t0 := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		area := "z-first"
		if i >= 40 {
			area = "a-then"
		}
		line := fmt.Sprintf("air_station,area=%s,device=moved pm25=%d %d", area, i, t0.Add(time.Duration(i)*time.Second).UnixNano())
		if err := client.WriteAPIBlocking("", server.Bucket).WriteRecord(t.Context(), line); err != nil {
			t.Fatal(err)
		}
	}
	h := influx.NewHistory(influx.Config{URL: server.URL, Bucket: server.Bucket})
	defer h.Close()
	got, err := h.Series(t.Context(), ingest.SeriesQuery{Device: "moved", Type: "air_station", Metric: "pm25", From: t0, To: t0.Add(time.Hour), Window: time.Minute})
	if err != nil || len(got) != 1 || got[0] != (ingest.Point{Time: t0, Mean: 29.5, Min: 0, Max: 59, Last: 59, Count: 60}) {
		t.Errorf("%+v, %v", got, err)
	}
	items, _, err := h.Readings(t.Context(), ingest.ReadingsQuery{Device: "moved", From: t0, To: t0.Add(time.Hour)})
	if err != nil || len(items) != 60 {
		t.Errorf("%d readings, %v", len(items), err)
	}
}
