package ingest

import (
	"time"

	"haidang/devices"
)

// Stage names the step of the way at which a message could not go on.
type Stage string

// The stages at which a message can become a dead letter.
const (
	StageTopic    Stage = "topic"
	StageIdentify Stage = "identify"
	StageDecode   Stage = "decode"
	StageValidate Stage = "validate"
	StageReport   Stage = "report"
	StageAnswer   Stage = "answer"
)

// DeadLetter is a message that could not be taken: its bytes and the reason.
type DeadLetter struct {
	ID         int64
	ReceivedAt time.Time
	// Source is how it came, Sender who sent it; see Message.
	Source string
	Sender string
	Topic  string
	// Format is the decoder's name; empty for the native form. Version tells
	// which state of it could not read the message.
	Format  string
	Version string
	// Device is the id in the topic, when there is one.
	Device  devices.ID
	Stage   Stage
	Code    string // short and stable, for programs
	Message string // a sentence for people
	Payload []byte // as received, cut at MaxForeign; of one that is listed, the start
	Kept    int    // bytes of it that the store has
	Size    int    // of the whole payload in bytes
	// Status is "new", "replayed" or "discarded"; DiscardedAt is when it became the last.
	Status      string
	DiscardedAt time.Time
}
