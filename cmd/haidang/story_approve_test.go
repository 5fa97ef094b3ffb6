package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A station that nobody entered speaks. It is listed, somebody approves it, and
// what it said is there: once, with its own times.
func TestStoryUnknownDeviceIsApproved(t *testing.T) {
	s, stop := demo(t, nil)
	data := s.Data
	first := time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	for i, at := range []time.Time{first, first.Add(10 * time.Second), first.Add(20 * time.Second), first.Add(20 * time.Second)} { // the last one twice
		id := "QB-New-7"
		if i == 1 {
			id = "qb-new-7"
		}
		publish(t, s.MQTT, "ioc/v1/devices/"+id+"/readings", `{"ts":"`+at.Format(time.RFC3339)+`","values":{"pm25":`+[]string{"11", "12", "13", "13"}[i]+`}}`)
	}
	waits := func() map[string]any {
		var list items
		if status := s.call("GET", "/api/v1/devices?life=discovered&q=new-7", nil, &list); status != http.StatusOK || len(list.Items) != 1 {
			return nil
		}
		return list.Items[0]
	}
	s.eventually("the station is listed as discovered, with what it said", func() bool { x := waits(); return x != nil && x["messages"] == 4.0 })
	if status := s.call("GET", "/api/v1/devices/qb-new-7", nil, nil); status != http.StatusNotFound {
		t.Errorf("before it is approved it is found: %d", status)
	}
	res, err := http.Post(s.HTTP+"/api/v1/devices/import", "text/csv", strings.NewReader("id,vendor\nqb-air-01,Envitech\n"))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	stop()
	s, _ = demo(t, func(d *demoCmd) { d.Data = data })
	if x := waits(); x == nil || x["messages"] != 4.0 {
		t.Fatalf("after a restart it is %v", x)
	}
	var air map[string]any
	if s.call("GET", "/api/v1/devices/qb-air-01", nil, &air); air["vendor"] != "Envitech" {
		t.Errorf("the next demo forgot what was known of a device: %v", air)
	}
	var answer struct {
		Device   map[string]any
		Replayed map[string]int
	}
	approval := map[string]any{"type": "air_station", "name": "Trạm mới", "area": "dong-hoi", "lat": 17.47, "lon": 106.62, "reason": "đã kiểm tra tại chỗ"}
	if status := s.call("POST", "/api/v1/devices/qb-new-7/approve", approval, &answer); status != http.StatusOK || answer.Device["life"] != "active" || answer.Replayed["letters"] != 4 || answer.Replayed["stored"] != 3 || answer.Replayed["duplicates"] != 1 {
		t.Fatalf("approved: %d %+v", status, answer)
	}
	if x := waits(); x != nil {
		t.Errorf("it still waits: %v", x)
	}
	publish(t, s.MQTT, "ioc/v1/devices/qb-new-7/readings", `{"ts":"`+first.Add(30*time.Second).Format(time.RFC3339)+`","values":{"pm25":14}}`)
	var readings items
	s.eventually("what it says now is taken too", func() bool {
		s.call("GET", "/api/v1/devices/qb-new-7/readings", nil, &readings)
		return len(readings.Items) == 4
	})
	for i, r := range readings.Items {
		at, err := time.Parse(time.RFC3339Nano, r["ts"].(string))
		if v := r["values"].(map[string]any)["pm25"]; err != nil || !at.Equal(first.Add(time.Duration(i)*10*time.Second)) || v != float64(11+i) {
			t.Errorf("reading %d: %v", i, r)
		}
	}
	if status := s.call("POST", "/api/v1/devices/qb-new-7/approve", approval, nil); status != http.StatusConflict {
		t.Errorf("approved again: %d", status)
	}
}
