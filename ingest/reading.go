package ingest

import (
	"slices"
	"time"

	"haidang/devices"
)

// Reading is one message of a device: what it measured, when and where.
type Reading struct {
	Device devices.ID
	// FixTime is when it was measured, SentAt when the device says it sent it
	// (zero when it does not say), ReceivedAt when it arrived; all UTC, kept
	// to the millisecond.
	FixTime    time.Time
	SentAt     time.Time
	ReceivedAt time.Time
	// TimeAssumed is true when the device gave no time and FixTime is the
	// time of arrival.
	TimeAssumed bool
	// TimeSuspect is true when FixTime cannot be right and was accepted as
	// sent.
	TimeSuspect bool
	Lateness    Lateness
	// Seq is the device's own sequence number; NoSeq when it gave none, or what
	// is below it (ContentSeq).
	Seq      int64
	Position *devices.Position
	Values   []Value
}

// EventTime is where the reading belongs in order of time: the fix time, or
// the time of arrival when the device's clock is ahead of ours. A clock that
// is later set right then does not make the following readings look old.
func (r *Reading) EventTime() time.Time {
	if !r.ReceivedAt.IsZero() && r.ReceivedAt.Before(r.FixTime) {
		return r.ReceivedAt
	}
	return r.FixTime
}

// TimeFromDevice is what TimeSource says of most fix times.
const TimeFromDevice = "device"

// TimeSource says whose a fix time is: the device's, the server's, which is the
// time of arrival, or suspect: the device's, and it cannot be right.
func TimeSource(assumed, suspect bool) string {
	switch {
	case suspect:
		return "suspect"
	case assumed:
		return "server"
	}
	return TimeFromDevice
}

// NoSeq stands for "the device gave no sequence number".
const NoSeq int64 = -1

// Value is one measured quantity of a reading.
type Value struct {
	Metric  string
	Number  float64
	Quality Quality
	// Derived says that it was computed from earlier messages as well: it is no
	// part of what makes a reading the same as another.
	Derived bool
}

// Value finds a value by metric name.
func (r *Reading) Value(metric string) (Value, bool) {
	for _, v := range r.Values {
		if v.Metric == metric {
			return v, true
		}
	}
	return Value{}, false
}

// Quality says whether a value may be used in averages, indices and rules.
// Only Good may.
type Quality uint8

// The qualities. Calibrating and DeviceError are the states 01 and 02 of
// Circular 10/2021; OutOfRange is outside what the metric's type allows;
// SuspectTime was measured at a time that cannot be right.
const (
	Good Quality = iota
	Calibrating
	DeviceError
	OutOfRange
	SuspectTime
)

var qualityNames = [...]string{"good", "calibrating", "device_error", "out_of_range", "time_suspect"}

// QualityOf finds a quality by its name.
func QualityOf(name string) (Quality, bool) {
	i := slices.Index(qualityNames[:], name)
	return Quality(max(i, 0)), i >= 0
}

// String is the quality's name in JSON and InfluxDB.
func (q Quality) String() string {
	if int(q) < len(qualityNames) {
		return qualityNames[q]
	}
	return "unknown"
}

// Lateness says how long after the measurement a message arrived.
type Lateness uint8

// A live message may sound the siren. A late one (within a day) or a backfill
// (older) is kept and judged in event time, but raises nobody at night.
const (
	LiveNow Lateness = iota
	LateArrival
	Backfill
)

var latenessNames = [...]string{"live", "late", "backfill"}

// String is the lateness's name in JSON.
func (l Lateness) String() string {
	if int(l) < len(latenessNames) {
		return latenessNames[l]
	}
	return "unknown"
}

// EventConnection is the type of the event that a device came or went; its data
// is {"state":"online"} or {"state":"offline"}.
const EventConnection = "connection"

// ConnectionEvent makes the event of a device that came ("online") or went
// ("offline").
func ConnectionEvent(state string) *Event {
	return &Event{Type: EventConnection, Data: []byte(`{"state":"` + state + `"}`)}
}

// Connection is what an event of type EventConnection says; empty for others.
func (e *Event) Connection() string {
	if e.Type != EventConnection {
		return ""
	}
	for _, state := range [...]string{"online", "offline"} {
		if string(e.Data) == `{"state":"`+state+`"}` {
			return state
		}
	}
	return ""
}

// Event is something discrete that a device says: a violation, an incident,
// an SOS.
type Event struct {
	Device      devices.ID
	FixTime     time.Time
	ReceivedAt  time.Time
	TimeAssumed bool
	TimeSuspect bool // see Reading
	Lateness    Lateness
	Type        string
	Severity    string
	Position    *devices.Position
	// Data is the event's own JSON object as it was sent, at most 16 KiB.
	Data []byte
}

// IsDistress says that somebody calls for help: AIS-SART, MOB and EPIRB, a
// vessel's or a phone's SOS. It is never refused for its clock or its place.
func (e *Event) IsDistress() bool { return e.Type == "distress" || e.Type == "sos" }

// EventTime is where the event belongs in order of time, as a reading's is.
func (e *Event) EventTime() time.Time {
	if !e.ReceivedAt.IsZero() && e.ReceivedAt.Before(e.FixTime) {
		return e.ReceivedAt
	}
	return e.FixTime
}
