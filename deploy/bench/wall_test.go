package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestWallCountsEachReadingOfTheLoadOnce(t *testing.T) {
	l := load{prefix: "bench", publishers: 1, devices: 10, stamped: true}
	begin := time.Now()
	item := func(id string, at time.Time) string {
		return fmt.Sprintf(`{"k":"d","id":"%s","name":"Trạm","values":{"pm25":12.5,"sent_us":%d,"temp":20}}`, id, at.UnixMicro())
	}
	at := begin.Add(2 * time.Millisecond)
	w := newWall(l)
	w.from = begin
	w.take([]byte(`{"type":"snapshot","channel":"map","items":[`+item("bench-000001", begin.Add(-time.Second))+`]}`), begin)
	w.take([]byte(`{"type":"delta","channel":"map","items":[`+item("bench-000001", at)+","+item("qb-air-01", at)+`]}`), at.Add(3*time.Millisecond))
	w.take([]byte(`{"type":"delta","channel":"map","items":[`+item("bench-000002", at)+","+item("bench-000001", at)+`]}`), at.Add(5*time.Millisecond))
	w.take([]byte(`{"type":"delta","channel":"map","items":[{"k":"c","id":"[1,2]","n":7}]}`), at)
	if want := []float64{3, 5}; !slices.Equal(w.delays, want) {
		t.Fatalf("took %v ms, want %v", w.delays, want)
	}
}

func TestStampIsInTheReading(t *testing.T) {
	l := load{prefix: "bench", publishers: 1, devices: 1, stamped: true}
	var r bareReading
	before := time.Now().UnixMicro()
	if err := json.Unmarshal(l.reading(7, 3), &r); err != nil {
		t.Fatal(err)
	}
	if r.Values.SentUS < before || r.Values.SentUS > time.Now().UnixMicro() || r.Seq != 4 || r.Values.PM25 < 10 {
		t.Fatalf("read %+v", r)
	}
}

// The bare pipeline's frames must be read by the same wall as haidang's.
func TestWallReadsTheFloor(t *testing.T) {
	l := load{prefix: "bench", publishers: 1, devices: 1, stamped: true}
	item := bareItem{Kind: "d", ID: l.id(0)}
	if err := json.Unmarshal(l.reading(0, 0), &item.bareReading); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(bareFrame{"delta", "map", [1]bareItem{item}})
	if err != nil {
		t.Fatal(err)
	}
	w := newWall(l)
	w.take(text, time.Now())
	if len(w.delays) != 1 {
		t.Fatalf("counted %d readings in %s", len(w.delays), text)
	}
}
