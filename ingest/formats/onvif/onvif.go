// Package onvif reads ONVIF events as JSON over MQTT (Profile M), on
// …/onvif-ej/<topic>/…: counters that may run on and be reset, line crossing,
// objects in a field, plates, and the camera's own health (tampering, scene
// change, connection lost). Motion is left out: it says little and comes often.
package onvif

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Options say which level of the topic is the camera's name.
type Options struct {
	TopicLevel int    `toml:"topic_level"` // counted from 1; 1 unless given
	Prefix     string `toml:"prefix"`
}

// Decoder reads ONVIF events. It remembers each counter's last value.
type Decoder struct {
	o     Options
	mu    sync.Mutex
	count map[string]float64
}

const maxCounters = 100_000

// New makes a decoder.
func New(o Options) *Decoder {
	if o.TopicLevel < 1 {
		o.TopicLevel = 1
	}
	return &Decoder{o: o, count: map[string]float64{}}
}

// Decode implements ingest.Decoder.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	levels := strings.Split(in.Topic, "/")
	if d.o.TopicLevel > len(levels) {
		return object.One(object.Refuse("device_missing", "topic %.80q has no level %d, where the camera's name belongs", in.Topic, d.o.TopicLevel))
	}
	id, r := object.DeviceID(d.o.Prefix, levels[d.o.TopicLevel-1])
	if r != nil {
		return object.One(r)
	}
	v, r := object.Parse(in.Payload)
	if r == nil {
		_, r = object.Object(v, "an event")
	}
	if r != nil {
		return []ingest.Item{{Device: id, Refusal: r}}
	}
	_, topic, ok := strings.Cut(in.Topic, "/onvif-ej/")
	if !ok {
		return []ingest.Item{{Device: id, Refusal: object.Refuse("topic_unknown", "topic %.120q has no level onvif-ej", in.Topic)}}
	}
	it, r := d.event(id, plain(topic), v)
	if r != nil {
		return []ingest.Item{{Device: id, Refusal: r}}
	}
	if it == nil {
		return nil
	}
	return []ingest.Item{*it}
}

// plain leaves out name spaces and what stands for sources ("&1", rule names).
func plain(topic string) string {
	topic, _, _ = strings.Cut(topic, "/&")
	var kept []string
	for level := range strings.SplitSeq(topic, "/") {
		if i := strings.LastIndexByte(level, ':'); i >= 0 {
			level = level[i+1:]
		}
		kept = append(kept, level)
	}
	return strings.Join(kept, "/")
}

func (d *Decoder) event(id devices.ID, topic string, v any) (*ingest.Item, *ingest.Refusal) {
	at, r := object.Time(v, "UtcTime")
	if r != nil {
		return nil, r
	}
	data := object.Get(v, "Data")
	switch {
	case strings.HasPrefix(topic, "RuleEngine/CountAggregation/Counter"):
		rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}
		if rd.Values, r = d.counter(id, v, data); r != nil {
			return nil, r
		}
		return &ingest.Item{Device: id, Reading: rd}, nil
	}
	for prefix, e := range map[string]struct{ typ, severity string }{
		"RuleEngine/LineDetector/Crossed":        {"line_crossed", "info"},
		"RuleEngine/FieldDetector/ObjectsInside": {"objects_inside", "info"},
		"RuleEngine/LoiteringDetector":           {"loitering", "minor"},
		"RuleEngine/Recognition/LicensePlate":    {"plate", ""},
		"RuleEngine/TamperDetector":              {"camera_tampered", "major"},
		"VideoSource/GlobalSceneChange":          {"camera_tampered", "major"},
		"VideoSource/ImageTooBlurry":             {"camera_blurred", "minor"},
		"VideoSource/ImageTooDark":               {"camera_dark", "minor"},
		"VideoSource/SignalLoss":                 {"camera_signal_lost", "major"},
		"VideoSource/ConnectionFailed":           {"camera_connection_lost", "major"},
		"MediaControl/ConnectionFailed":          {"camera_connection_lost", "major"},
	} {
		if !strings.HasPrefix(topic, prefix) {
			continue
		}
		if over(data) {
			return nil, nil // the condition ended: only its beginning is an event
		}
		body, err := json.Marshal(map[string]any{"source": object.Get(v, "Source"), "data": data})
		if err != nil || len(body) > 16<<10 {
			return nil, object.Refuse("data_too_large", "the event's data has more than 16,384 bytes")
		}
		return &ingest.Item{Device: id, Event: &ingest.Event{FixTime: at, Type: e.typ, Severity: e.severity, Data: body}}, nil
	}
	if strings.HasSuffix(topic, "/MotionAlarm") || strings.Contains(topic, "Motion") {
		return nil, nil
	}
	return nil, object.Refuse("event_unknown", "ONVIF topic %.100q is not read", topic)
}

// over says that a state event tells the end of its condition.
func over(data any) bool {
	for _, key := range []string{"State", "IsInside", "IsTamper", "Value", "state"} {
		switch x := object.Get(data, key).(type) {
		case bool:
			return !x
		case string:
			return x == "false" || x == "0"
		}
	}
	return false
}

// counter gives what passed since the last event, and the running total. A
// total that is lower than the last one was reset: all of it is new.
func (d *Decoder) counter(id devices.ID, v, data any) ([]ingest.Value, *ingest.Refusal) {
	total, ok := object.Number(data, "Count")
	if !ok || total < 0 {
		return nil, object.Refuse("count_missing", "Data.Count must be a number that is not negative, not %s", object.Kind(object.Get(data, "Count")))
	}
	key := fmt.Sprintf("%s|%.64s|%.64s", id, object.String(v, "Source", "Rule"), object.String(v, "Source", "VideoSource"))
	d.mu.Lock()
	defer d.mu.Unlock()
	last, known := d.count[key]
	if len(d.count) >= maxCounters && !known {
		clear(d.count)
	}
	d.count[key] = total
	vals := []ingest.Value{{Metric: "count_total", Number: total}}
	switch {
	case known && total >= last:
		vals = append(vals, ingest.Value{Metric: "count", Number: total - last})
	case known:
		vals = append(vals, ingest.Value{Metric: "count", Number: total})
	}
	return vals, nil
}
