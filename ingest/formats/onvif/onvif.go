// Package onvif reads ONVIF events as JSON over MQTT (Profile M), on
// …/onvif-ej/<topic>/…: counters that may run on and be reset (as vehicles a minute), how many objects
// are in a field, line crossing, objects in a field, plates, inputs, and the
// camera's own health (tampering, scene change, faults, connection lost).
// Motion is left out: it says little and comes often.
//
// Cameras differ in how they write an item: "Data":{"Count":12}, the same with
// the value as text, or ONVIF's own list of {"Name","Value"}. All are read; a
// number as text must be one exactly.
package onvif

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Options say which level of the topic is the camera's name.
type Options struct {
	TopicLevel int    `toml:"topic_level"` // counted from 1; 1 unless given
	Prefix     string `toml:"prefix"`
}

// Decoder reads ONVIF events. It remembers each counter's last values.
type Decoder struct {
	o        Options
	counters counters
}

// New makes a decoder.
func New(o Options) *Decoder {
	if o.TopicLevel < 1 {
		o.TopicLevel = 1
	}
	return &Decoder{o: o, counters: counters{cameras: map[devices.ID]map[string]*counter{}}}
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
	it, r := d.decode(id, in)
	switch {
	case r != nil:
		return []ingest.Item{{Device: id, Refusal: r}}
	case it == nil:
		return nil
	}
	it.Device = id
	return []ingest.Item{*it}
}

func (d *Decoder) decode(id devices.ID, in ingest.Input) (*ingest.Item, *ingest.Refusal) {
	_, topic, ok := strings.Cut(in.Topic, "/onvif-ej/")
	if !ok {
		return nil, object.Refuse("topic_unknown", "topic %.120q has no level onvif-ej", in.Topic)
	}
	v, r := object.Parse(in.Payload)
	if r != nil {
		return nil, r
	}
	o, r := object.Object(v, "an event")
	if r != nil {
		return nil, r
	}
	return d.event(id, topic, o, in.ReceivedAt)
}

// plain leaves out name spaces and what stands for sources ("&1", rule names).
func plain(topic string) string {
	topic, _, _ = strings.Cut(topic, "/&")
	levels := strings.Split(topic, "/")
	for i, level := range levels {
		levels[i] = level[strings.LastIndexByte(level, ':')+1:]
	}
	return strings.Join(levels, "/")
}

// events are the topics that make events, by how they begin.
var events = []struct{ topic, typ, severity string }{
	{"RuleEngine/LineDetector/Crossed", "line_crossed", "info"},
	{"RuleEngine/FieldDetector/ObjectsInside", "objects_inside", "info"},
	{"RuleEngine/LoiteringDetector", "loitering", "minor"},
	{"RuleEngine/Recognition/LicensePlate", "plate", ""},
	{"RuleEngine/TamperDetector", "camera_tampered", "major"},
	{"VideoSource/GlobalSceneChange", "camera_tampered", "major"},
	{"VideoSource/ImageTooBlurry", "camera_blurred", "minor"},
	{"VideoSource/ImageTooDark", "camera_dark", "minor"},
	{"VideoSource/ImageTooBright", "camera_bright", "minor"},
	{"VideoSource/SignalLoss", "camera_signal_lost", "major"},
	{"VideoSource/ConnectionFailed", "camera_connection_lost", "major"},
	{"MediaControl/ConnectionFailed", "camera_connection_lost", "major"},
	{"Device/HardwareFailure", "camera_fault", "major"},
	{"Device/Trigger/DigitalInput", "digital_input", "info"},
}

// silent are topics of ONVIF that are sound and not kept, by how they begin:
// a camera sends all it has unless somebody chose.
var silent = []string{"AudioAnalytics", "AudioSource", "Configuration", "Device/IO", "Device/OperationMode", "Device/Trigger/Relay", "Media", "Monitoring",
	"PTZController", "Recording", "RuleEngine/ObjectDetection", "Security", "UserAlarm", "VideoEncoder", "VideoSource/Motion"}

func (d *Decoder) event(id devices.ID, full string, o map[string]any, received time.Time) (*ingest.Item, *ingest.Refusal) {
	at, r := object.Time(o, "UtcTime")
	if r != nil {
		return nil, r
	}
	source, data := items(o["Source"]), items(o["Data"])
	topic := plain(full)
	rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}
	switch {
	case o["PropertyOperation"] == "Deleted":
		return nil, nil // what it was about is gone
	case strings.HasPrefix(topic, "RuleEngine/CountAggregation/Counter"):
		total, r := number(data)
		if r != nil {
			return nil, r
		}
		counted := at
		if at.IsZero() {
			counted = received
		}
		rd.Values = d.counters.values(id, full+"|"+string(object.Raw(source)), rule(source), counted, total)
		return &ingest.Item{Reading: rd}, nil
	case strings.HasPrefix(topic, "RuleEngine/CountAggregation/OccupancyCounter"):
		inside, r := number(data)
		if r != nil {
			return nil, r
		}
		rd.Values = []ingest.Value{{Metric: named("occupancy_count", rule(source)), Number: inside}}
		return &ingest.Item{Reading: rd}, nil
	}
	for _, e := range events {
		if !strings.HasPrefix(topic, e.topic) {
			continue
		}
		if over(data) {
			return nil, nil // the condition ended: only its beginning is an event
		}
		body, err := json.Marshal(map[string]any{"source": source, "data": data})
		if err != nil || len(body) > 16<<10 {
			return nil, object.Refuse("data_too_large", "the event's data has more than 16,384 bytes")
		}
		return &ingest.Item{Event: &ingest.Event{FixTime: at, Type: e.typ, Severity: e.severity, Data: body}}, nil
	}
	if strings.Contains(topic, "Motion") || slices.ContainsFunc(silent, func(s string) bool { return strings.HasPrefix(topic, s) }) {
		return nil, nil
	}
	return nil, object.Refuse("event_unknown", "ONVIF topic %.100q is not read", topic)
}
