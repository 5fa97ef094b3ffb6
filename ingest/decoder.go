package ingest

import (
	"time"

	"haidang/devices"
)

// Input is one payload in a foreign format, as it arrived.
type Input struct {
	// Topic is the MQTT topic, file name or HTTP path it came by; many
	// formats say there what the payload does not.
	Topic      string
	Payload    []byte
	ReceivedAt time.Time
	// Sender is who sent it; see Message. It tells apart whose parts are joined,
	// and is no part of what a payload means.
	Sender string
}

// Item is one reading or event of a foreign payload, or why it is none:
// exactly one of Reading, Event and Refusal is set. A fault in one item leaves
// the others untouched.
type Item struct {
	// Device is the id under which the sender is, or would be, registered:
	// its own name in the format (DevEUI, MMSI, station code), brought into
	// the form of a device id. Reading.Device and Event.Device stay empty.
	Device  devices.ID
	Reading *Reading
	Event   *Event
	Refusal *Refusal
	// Units are the units that the payload names, by metric; a metric that is
	// missing here is in its type's own unit.
	Units map[string]string
	// Raw is the item's bytes, for a dead letter; the whole payload when nil.
	// It must decode on its own, with the same topic: it is what is replayed.
	Raw []byte
	// Where is the item's place for people: "line 12", "record 3"; may be empty.
	Where string
	// Parts are the places of a reading's values, of formats in which each value
	// stands for itself: one that cannot be taken is refused alone then, and the
	// others are kept. Without them a reading is taken whole or not at all.
	Parts []Part
}

// Part is where one value of a reading stands.
type Part struct {
	Metric string
	Where  string // for people, see Item
	Raw    []byte // decodes on its own, see Item
}

// Decoder reads one foreign format. It keeps no state between payloads unless
// its format calls for it (AIS fragments); then it is safe for concurrent use
// and bounded. It never panics, and its time and memory are bounded by the
// payload's size.
type Decoder interface {
	// Decode returns at least one item, or none when the payload is sound and
	// says nothing that is kept (a keep-alive).
	Decode(in Input) []Item
}
