package main

import (
	"strings"
	"testing"
	"time"
)

// What was kept can be read without the program that kept it.
func TestJournalIsPrinted(t *testing.T) {
	s, stop := demo(t, func(d *demoCmd) { d.RegisterUnknown = true })
	if code := s.call("POST", "/api/v1/devices/pump-7/readings", []map[string]any{
		{"ts": time.Now().Add(-time.Minute).UnixMilli(), "seq": 4, "values": map[string]float64{"flow": 2.5}},
		{"ts": time.Now().UnixMilli(), "seq": 5, "values": map[string]float64{"flow": 3}, "status": map[string]string{"flow": "01"}},
	}, nil); code != 202 {
		t.Fatalf("answered %d", code)
	}
	if code := s.call("POST", "/api/v1/devices/pump-7/events", map[string]any{"type": "door_open", "data": map[string]any{"door": 2}}, nil); code != 202 {
		t.Fatalf("answered %d", code)
	}
	data := s.Data
	var out strings.Builder
	if err := (&journalCmd{Data: data, Device: "pump-7"}).run(t.Context(), &out); err == nil || !strings.Contains(err.Error(), "in use by another haidang") {
		t.Errorf("while the program runs it says %v", err)
	}
	stop()
	if err := (&journalCmd{Data: data, Device: "pump-7"}).run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"seq":4,"values":{"flow":2.5},"lateness":"live"`) || !strings.Contains(lines[1], `"quality":{"flow":"calibrating"}`) {
		t.Errorf("printed\n%s", out.String())
	}
	out.Reset()
	if err := (&journalCmd{Data: data, Device: "pump-7", Events: true}).run(t.Context(), &out); err != nil || strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), `"type":"door_open","data":{"door":2},"lateness":"live"`) {
		t.Errorf("its events are printed as\n%s%v", out.String(), err)
	}
}
