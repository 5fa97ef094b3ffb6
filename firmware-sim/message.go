package firmwaresim

import (
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"
)

// Kind says what a Message asks of its carrier.
type Kind string

// The kinds of Message.
const (
	Connect Kind = "connect" // the device is switched on: connect, say online
	Drop    Kind = "drop"    // the connection breaks without a word
	Restore Kind = "restore" // the network is back: connect again
	Publish Kind = "publish" // the device has something to say
	Post    Kind = "post"    // a citizen reports something over HTTP
)

// Message is one thing that happens, at a time since the start of the run.
type Message struct {
	At      time.Duration
	Kind    Kind
	Device  int // index in the fleet; -1 for a citizen
	ID      string
	Topic   string // or the path of a Post
	Payload []byte
}

// MarshalJSON writes the line that --dry-run prints. Payloads that are JSON
// are shown as such, others as text, and bytes that are no text as base64.
func (m Message) MarshalJSON() ([]byte, error) {
	line := struct {
		AtMS    int64  `json:"at_ms"`
		Kind    Kind   `json:"kind"`
		ID      string `json:"id,omitempty"`
		Topic   string `json:"topic,omitempty"`
		Payload any    `json:"payload,omitempty"`
	}{m.At.Milliseconds(), m.Kind, m.ID, m.Topic, nil}
	switch {
	case len(m.Payload) == 0:
	case json.Valid(m.Payload):
		line.Payload = json.RawMessage(m.Payload)
	case utf8.Valid(m.Payload):
		line.Payload = string(m.Payload)
	default:
		line.Payload = m.Payload
	}
	return json.Marshal(line)
}

// reading is the wire format of ioc/v1/devices/{id}/readings.
type reading struct {
	TS     string             `json:"ts"`
	Seq    int64              `json:"seq"`
	Lat    *float64           `json:"lat,omitempty"`
	Lon    *float64           `json:"lon,omitempty"`
	Values map[string]float64 `json:"values"`
}

// event is the wire format of ioc/v1/devices/{id}/events.
type event struct {
	TS       string         `json:"ts"`
	Type     string         `json:"type"`
	Severity string         `json:"severity,omitempty"`
	Lat      float64        `json:"lat"`
	Lon      float64        `json:"lon"`
	Data     map[string]any `json:"data,omitempty"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// encode cannot fail: all that is encoded here are finite numbers and text.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("firmwaresim: " + err.Error())
	}
	return b
}

func round(v float64, decimals int) float64 {
	p := math.Pow10(decimals)
	return math.Round(v*p) / p
}

func clamp(v, low, high float64) float64 { return max(low, min(high, v)) }
