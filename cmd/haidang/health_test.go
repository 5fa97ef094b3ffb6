package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// page reads a page as text.
func (s *story) page(path string) (status int, text string) {
	s.t.Helper()
	rq, err := http.NewRequest("GET", s.HTTP+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		rq.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := patient.Do(rq)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// Whoever keeps the program running sees each stage, reader and source.
func TestWhatIsMeasuredOfTheProgram(t *testing.T) {
	s, _ := demo(t, func(d *demoCmd) { d.RegisterUnknown = true })
	publish(t, s.MQTT, "ioc/v1/devices/pump-7/readings", `{"values":{"flow":2.5}}`)
	publish(t, s.MQTT, "ioc/v1/devices/pump-7/readings", `x`)
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-01/readings", `{"values":{"pm25":1,"pm2.5":1,"hum":2}}`)
	s.tell("qb-air-01", "restart", 3600)
	s.call("POST", "/api/v1/devices/qb-air-01/commands/"+s.tell("qb-air-01", "identify", 3600)+"/stop", nil, nil)
	for _, says := range []string{
		`haidang_ingest_messages_total{outcome="stored"} 2`, `haidang_ingest_unlisted_values_total{type="air_station"} 2`, `haidang_ingest_messages_total{outcome="dead_letter"} 1`,
		`haidang_ingest_dead_letters_total{code="json_invalid",stage="decode"} 1`,
		`haidang_source_readings_total{outcome="stored",source="native",via="mqtt"} 2`, `haidang_source_readings_total{outcome="dead_letter",source="native",via="mqtt"} 1`,
		`haidang_source_age_seconds{source="native",via="mqtt"} 0`, `haidang_source_late_total{lateness="backfill",source="native",via="mqtt"} 0`,
		`haidang_journal_reader_lag_entries{reader="latest"} 0`, `haidang_journal_reader_lag_entries{reader="alerts"} 0`, `haidang_journal_reader_lag_entries{reader="rollups"} 0`,
		`haidang_journal_unsettled_entries `, `haidang_journal_settle_failing 0`, `haidang_journal_commit_seconds_count`, `haidang_ingest_waiting_messages{lane="live"} 0`,
		`haidang_rollup_marked_hours `, `haidang_dead_letters_dropped_total 0`, `haidang_live_screens 0`, `haidang_data_free_bytes`,
		`haidang_health_devices{state="live"} 2`, `haidang_health_devices{state="dead"} 0`, `haidang_devices_registered{life="active"} `, `haidang_devices_registered{life="retired"} 0`,
		`haidang_commands_open{state="queued"} `, `haidang_commands_ended_total{state="stopped"} 1`, `haidang_commands_ended_total{state="timed_out"} 0`,
	} {
		s.eventually("/metrics has "+says, func() bool {
			_, text := s.page("/metrics")
			return strings.Contains(text, "\n"+says)
		})
	}
	if status, text := s.page("/readyz"); status != 200 || !strings.HasPrefix(text, "ready\n") {
		t.Errorf("/readyz says %d %s", status, text)
	}
}

// Whoever waits for "ready" before connecting a device is let in then.
func TestReadyMeansThatDevicesAreLetIn(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.MQTT = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	a, err := build(t.Context(), cfg, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.stop.unwind()
	defer a.source.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := a.source.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.ready(); err == nil || !strings.Contains(err.Error(), "not let in") {
		t.Errorf("before: %v", err)
	}
	a.broker.Ready()
	if err := a.ready(); err != nil {
		t.Errorf("after: %v", err)
	}
}
