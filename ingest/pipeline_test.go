package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/deadletters"
	"haidang/ingest/journal"
)

// registry knows one air station and nothing else.
type registry struct{}

func (registry) Get(id devices.ID) (*devices.Device, bool) {
	if id.Key() != "qb-air-01" {
		return nil, false
	}
	return &devices.Device{ID: "qb-air-01", Type: "air_station"}, true
}

func (registry) Type(id devices.TypeID) (*devices.Type, bool) {
	t := &devices.Type{ID: id, Metrics: []devices.Metric{{Name: "pm25", Unit: "µg/m³", Min: 0, Max: 1000}}}
	t.Index()
	return t, true
}

func (registry) Discover(_ context.Context, id devices.ID) (*devices.Device, error) {
	return &devices.Device{ID: id, Type: devices.TypeGeneric}, nil
}

type fixture struct {
	*ingest.Pipeline
	journal *journal.Journal
	letters *deadletters.Store
	told    chan ingest.DeadLetter
}

func start(t *testing.T, tune ...func(*ingest.Options)) *fixture {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	j, err := journal.Open(ctx, filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	dl, err := deadletters.Open(ctx, filepath.Join(dir, "dead.db"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{journal: j, letters: dl, told: make(chan ingest.DeadLetter, 100)}
	o := ingest.Options{Registry: registry{}, Journal: j, DeadLetters: dl, Bounds: ingest.DefaultBounds(),
		Report: func(context.Context, []byte) error {
			return &devices.FieldError{Field: "category", Reason: "is missing"}
		},
		Tell: func(d ingest.DeadLetter) { f.told <- d }, Log: slog.New(slog.DiscardHandler)}
	for _, fn := range tune {
		fn(&o)
	}
	f.Pipeline = ingest.NewPipeline(o)
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		j.Close()
		dl.Close()
	})
	return f
}

// send submits a message and waits for its end.
func (f *fixture) send(t *testing.T, topic, payload string) ingest.Outcome {
	t.Helper()
	end := make(chan ingest.Outcome, 1)
	err := f.Submit(context.Background(), ingest.Message{Source: "mqtt", Topic: topic, Payload: []byte(payload), ReceivedAt: time.Now(),
		Done: func(o ingest.Outcome) { end <- o }})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case o := <-end:
		return o
	case <-time.After(5 * time.Second):
		t.Fatalf("%s never came to an end", topic)
		panic("unreachable")
	}
}

const airTopic = "ioc/v1/devices/qb-air-01/readings"

func TestBadInputBecomesADeadLetterThatAPersonUnderstands(t *testing.T) {
	f := start(t)
	now := time.Now().UnixMilli()
	for _, c := range []struct{ name, topic, payload, code, says string }{
		{"not JSON", airTopic, `pm25=38`, "json_invalid", "not valid JSON"},
		{"cut off", airTopic, `{"values":{"pm25":3`, "json_invalid", "not valid JSON"},
		{"two values", airTopic, `{"values":{"pm25":3}} {}`, "json_invalid", "more after"},
		{"empty", airTopic, ``, "payload_empty", "empty"},
		{"NaN", airTopic, `{"values":{"pm25":NaN}}`, "json_invalid", "not valid JSON"},
		{"Infinity", airTopic, `{"values":{"pm25":1e999}}`, "number_out_of_range", "too large"},
		{"wrong type", airTopic, `{"values":{"pm25":"38"}}`, "type_wrong", "must be a number, not a string"},
		{"values an array", airTopic, `{"values":[1]}`, "type_wrong", "must be an object"},
		{"a bare number", airTopic, `42`, "type_wrong", "must be an object"},
		{"nothing in it", airTopic, `{"fw":"1"}`, "values_missing", "needs"},
		{"duplicate key", airTopic, `{"values":{"pm25":1,"pm25":2}}`, "json_invalid", "duplicate"},
		{"1970", airTopic, `{"ts":1000,"values":{"pm25":1}}`, "time_too_old", "1970"},
		{"2099", airTopic, `{"ts":"2099-01-01T00:00:00Z","values":{"pm25":1}}`, "time_in_future", "ahead"},
		{"bad time", airTopic, `{"ts":"22/11/2026","values":{"pm25":1}}`, "ts_invalid", "RFC 3339"},
		{"swapped", airTopic, fmt.Sprintf(`{"ts":%d,"lat":109.54,"lon":17.33,"values":{}}`, now), "position_swapped", "swapped"},
		{"no place", airTopic, `{"lat":95,"lon":200,"values":{}}`, "position_invalid", "no place on earth"},
		{"elsewhere", airTopic, `{"lat":0,"lon":0,"values":{}}`, "position_outside", "outside the region"},
		{"half a position", airTopic, `{"lat":17.5,"values":{"pm25":1}}`, "position_incomplete", "belong together"},
		{"control characters", airTopic, `{"values":{"pm\u000025":1}}`, "name_invalid", "control characters"},
		{"unknown status", airTopic, `{"values":{"pm25":1},"status":{"pm25":"07"}}`, "status_unknown", "calibrating"},
		{"1 MB", airTopic, `{"values":{"pm25":1},"x":"` + strings.Repeat("x", 1<<20) + `"}`, "payload_too_large", "at most"},
		{"nested deep", airTopic, `{"values":{"pm25":1},"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, "json_invalid", "not valid JSON"},
		{"unknown device", "ioc/v1/devices/nobody/readings", `{"values":{"pm25":1}}`, "device_unknown", "not registered"},
		{"bad id", "ioc/v1/devices/tàu-1/readings", `{"values":{"pm25":1}}`, "device_id_invalid", "not a device id"},
		{"empty level", "ioc/v1/devices//readings", `{"values":{"pm25":1}}`, "topic_empty_level", "empty level"},
		{"unknown leaf", "ioc/v1/devices/qb-air-01/telemetry", `{}`, "topic_unknown", "may publish on"},
		{"event without type", "ioc/v1/devices/qb-air-01/events", `{"data":{}}`, "type_missing", "needs a"},
		{"bad severity", "ioc/v1/devices/qb-air-01/events", `{"type":"sos","severity":"awful"}`, "severity_unknown", "known are"},
		{"bad state", "ioc/v1/devices/qb-air-01/state", `asleep`, "state_unknown", "online or offline"},
		{"bad report", "ioc/v1/reports", `{}`, "report_invalid", "category"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := f.send(t, c.topic, c.payload)
			if len(o.DeadLetters) != 1 || o.Stored != 0 {
				t.Fatalf("ended as %+v", o)
			}
			kept, err := f.letters.Get(context.Background(), o.DeadLetters[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if kept.Code != c.code || !strings.Contains(kept.Message, c.says) {
				t.Errorf("said %s: %q, want %s: …%s…", kept.Code, kept.Message, c.code, c.says)
			}
			if kept.Size != len(c.payload) || string(kept.Payload) != c.payload {
				t.Errorf("kept %d of %d bytes", len(kept.Payload), kept.Size)
			}
			if o := f.send(t, airTopic, fmt.Sprintf(`{"values":{"pm25":%d}}`, time.Now().UnixNano()%1000)); o.Stored+o.Duplicates != 1 {
				t.Errorf("a good reading after it ended as %+v", o)
			}
		})
	}
	if d := <-f.told; d.Device != "qb-air-01" || d.Code != "json_invalid" {
		t.Errorf("the device was told %+v", d)
	}
}

func TestAnArrayKeepsItsGoodElements(t *testing.T) {
	f := start(t)
	o := f.send(t, airTopic, `[{"seq":1,"ts":"2026-11-20T00:00:00Z","values":{"pm25":1}},{"values":{"pm25":true}},{"seq":2,"ts":"2026-11-20T00:05:00Z","values":{"pm25":2}}]`)
	if o.Stored != 2 || len(o.DeadLetters) != 1 || string(o.DeadLetters[0].Payload) != `{"values":{"pm25":true}}` {
		t.Fatalf("ended as %+v", o)
	}
	again := f.send(t, airTopic, `[{"seq":1,"ts":"2026-11-20T00:00:00Z","values":{"pm25":1}}]`)
	if again.Duplicates != 1 || again.Stored != 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestReadingIsCompletedAndJudged(t *testing.T) {
	f := start(t)
	old := time.Now().Add(-3 * time.Hour).UTC().Truncate(time.Millisecond)
	f.send(t, strings.ToUpper(airTopic[:15])+airTopic[15:], "{}") // another topic altogether: must not stop the rest
	payload, _ := json.Marshal(map[string]any{"ts": old, "seq": 7, "lat": 17.468, "lon": 106.622, "unknown": []int{1},
		"values": map[string]any{"pm25": 4000, "o3": 12.5, "no2": nil}, "status": map[string]string{"o3": "01"}})
	if o := f.send(t, "ioc/v1/devices/QB-AIR-01/readings", string(payload)); o.Stored != 1 {
		t.Fatalf("ended as %+v", o)
	}
	rs, _, err := f.journal.Readings(context.Background(), ingest.ReadingsQuery{Device: "qb-air-01", From: old, To: old.Add(1)})
	if err != nil || len(rs) != 0 {
		// To is exclusive to the millisecond: old+1ns is still old.
		t.Fatalf("readings before to: %v %v", rs, err)
	}
	rs, _, err = f.journal.Readings(context.Background(), ingest.ReadingsQuery{Device: "qb-air-01", From: old, To: old.Add(time.Second)})
	if err != nil || len(rs) != 1 {
		t.Fatalf("readings: %v %v", rs, err)
	}
	r := rs[0]
	if r.Lateness != ingest.LateArrival || r.Seq != 7 || r.TimeAssumed || len(r.Values) != 2 {
		t.Errorf("reading is %+v", r)
	}
	for _, want := range []ingest.Value{{Metric: "pm25", Number: 4000, Quality: ingest.OutOfRange}, {Metric: "o3", Number: 12.5, Quality: ingest.Calibrating}} {
		if got, _ := r.Value(want.Metric); got != want {
			t.Errorf("value %+v, want %+v", got, want)
		}
	}
}

func FuzzSubmit(f *testing.F) {
	for _, s := range []string{`{"values":{"pm25":1}}`, `[{"ts":1,"values":{}}]`, `[`, `{"a":"\ud800"}`, "\xff"} {
		f.Add(s)
	}
	p := ingest.NewPipeline(ingest.Options{Registry: registry{}, Bounds: ingest.DefaultBounds(), Log: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, payload string) {
		p.Decode(nil, airTopic, []byte(payload))
	})
}
