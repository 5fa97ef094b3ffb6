package commands

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"haidang/devices"
	"haidang/devices/personal"
)

// State is how far a command has come.
type State string

// The states. Queued, Sent and Delivered are open, the others ends.
const (
	Queued    State = "queued"    // waits until the device can hear it
	Sent      State = "sent"      // the broker has it
	Delivered State = "delivered" // the device said that it has it
	Succeeded State = "succeeded" // the device did it
	Failed    State = "failed"    // the device could not
	TimedOut  State = "timed_out" // it was sent, and no answer came
	Expired   State = "expired"   // it never was sent: the device was not heard in time
	Stopped   State = "stopped"   // somebody stopped it before it was sent
)

// States are all of them, in order.
var States = []State{Queued, Sent, Delivered, Succeeded, Failed, TimedOut, Expired, Stopped}

// Command is something one device is told to do.
type Command struct {
	ID     string     `json:"id"`
	Device devices.ID `json:"device"`
	// Batch is the bulk command that it is part of.
	Batch string          `json:"batch,omitempty"`
	Name  string          `json:"name"`
	Args  json.RawMessage `json:"args,omitempty"`
	Who   string          `json:"who"`
	Why   string          `json:"why,omitempty"`
	State State           `json:"state"`

	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is until when it may be sent.
	ExpiresAt time.Time `json:"expires_at"`
	// Timeout is for how many seconds its answer is waited for.
	Timeout     float64    `json:"timeout_s"`
	SentAt      *time.Time `json:"sent_at,omitempty"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	// Attempts is how often it was sent.
	Attempts int `json:"attempts"`
	// Message is what the device said of it, Result what it found.
	Message string          `json:"message,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`

	seq int64
}

// Request asks for a command.
type Request struct {
	Name string
	// Args is a JSON object, or empty.
	Args     json.RawMessage
	Who, Why string
	// Expires is within which time it must be sent; 0 means a day.
	Expires time.Duration
	// Timeout is for how long the answer is waited for; 0 means a minute.
	Timeout time.Duration
}

// Bounds of a command.
const (
	maxArgs    = 4 << 10
	maxWhy     = 1000
	maxExpiry  = 30 * 24 * time.Hour
	maxTimeout = 24 * time.Hour
	// maxOpen is how many commands may wait for one device.
	maxOpen = 32
	// maxAttempts is how often a command is sent to a device that is heard and
	// does not answer.
	maxAttempts = 3
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// check fills in what was left out, or says what is wrong.
func (r *Request) check() error {
	wrong := func(field, format string, args ...any) error {
		return &devices.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if r.Expires == 0 {
		r.Expires = 24 * time.Hour
	}
	if r.Timeout == 0 {
		r.Timeout = time.Minute
	}
	r.Why = personal.Text(r.Why) // all who see the device read it
	switch {
	case !nameForm.MatchString(r.Name):
		return wrong("name", "%.40q is no name of a command: 1 to 32 small letters, digits, '_' or '-', beginning with a letter", r.Name)
	case len(r.Args) > maxArgs:
		return wrong("args", "at most %d bytes", maxArgs)
	case len(r.Args) > 0 && !isObject(r.Args):
		return wrong("args", "the arguments are a JSON object")
	case len(r.Why) > maxWhy:
		return wrong("why", "at most %d bytes", maxWhy)
	case r.Expires < time.Second || r.Expires > maxExpiry:
		return wrong("expires_in_s", "from 1 second to 30 days")
	case r.Timeout < time.Second || r.Timeout > maxTimeout:
		return wrong("timeout_s", "from 1 second to one day")
	}
	return nil
}

func isObject(b json.RawMessage) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(b, &o) == nil && o != nil
}

// Order is a command as a device gets it, over MQTT on …/commands/{name}.
type Order struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Args      json.RawMessage `json:"args,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`
}

func (c *Command) order() Order { return Order{c.ID, c.Name, c.Args, c.CreatedAt, c.ExpiresAt} }

func (c *Command) topic() string { return topicRoot + string(c.Device) + "/commands/" + c.Name }

func (c *Command) payload() []byte {
	b, _ := json.Marshal(c.order()) // was read from JSON
	return b
}

// topicRoot is where devices' topics begin (design.md, section 4).
const topicRoot = "ioc/v1/devices/"
