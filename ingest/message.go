package ingest

import (
	"time"

	"haidang/devices"
)

// Message is what a source hands to the pipeline, before anyone looked at it.
type Message struct {
	// Source is how it came: "mqtt", "http", "file", "line".
	Source string
	// Sender is who sent it, as far as is known: an account, a device, an
	// address, a file. A broker does not say.
	Sender string
	// Format reads the payload; nil lets the topic decide.
	Format *Format
	// Topic is the MQTT topic; over HTTP the topic that says the same.
	Topic      string
	Payload    []byte
	Retained   bool
	ReceivedAt time.Time
	// Shared says that it came through a session that many share, in order:
	// while it is not acknowledged, sooner or later nobody behind it gets
	// through. What is not Shared can be kept waiting.
	Shared bool
	// Done is called exactly once when the message has come to its end and
	// everything that must be kept of it is synced. It acknowledges.
	Done func(Outcome)

	refusal *Refusal // its source's own; then Payload is the beginning of size bytes
	size    int64
}

// Outcome is what became of one message, which may hold several readings.
type Outcome struct {
	Stored      int
	Duplicates  int
	DeadLetters []DeadLetter
}

// The topics devices speak on (design.md, section 4).
const (
	TopicRoot    = "ioc/v1/"
	DeviceRoot   = TopicRoot + "devices/"
	ReportsTopic = TopicRoot + "reports"
)

// ReadingsTopic is where a device publishes its readings.
func ReadingsTopic(id devices.ID) string { return DeviceRoot + string(id) + "/readings" }

// ErrorsTopic is where a device is told why a message was refused.
func ErrorsTopic(id devices.ID) string { return DeviceRoot + string(id) + "/errors" }
