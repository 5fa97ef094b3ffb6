package firmwaresim

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// firmwareVersion is what every simulated device says to run.
const firmwareVersion = "sim-1.4.0"

const (
	// rebooting is how long a restart takes.
	rebooting = time.Second
	// known is how many commands a device remembers, to do each once.
	known = 64
	// maxSleep bounds the command sleep.
	maxSleep = time.Hour
)

// orders is what a device does with what the server tells it: commands and its
// configuration.
type orders struct {
	device Device
	say    func(leaf string, v any)           // hands the device's word to its outbox
	later  func(leaf string, v any)           // the same, on the next connection
	leave  func(time.Duration)                // goes off line for so long, once all is said
	retime func(interval time.Duration) error // measures so often from now on

	mu      sync.Mutex
	done    []string // ids of commands, the newest last
	version int64    // of the configuration that was applied
}

// order is the wire format of ioc/v1/devices/{id}/commands/{name}.
type order struct {
	ID        string          `json:"id"`
	Args      json.RawMessage `json:"args"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// answer is the wire format of ioc/v1/devices/{id}/replies/{name}.
type answer struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
	Result  any    `json:"result,omitempty"`
}

// settings is the wire format of ioc/v1/devices/{id}/config and of what is
// reported of it.
type settings struct {
	Version int64 `json:"version"`
	Config  struct {
		IntervalS float64 `json:"interval_s,omitempty"`
	} `json:"config"`
	Firmware string `json:"firmware,omitempty"`
	Error    string `json:"error,omitempty"`
}

// hear takes a message of the server.
func (o *orders) hear(_ mqtt.Client, m mqtt.Message) {
	leaf := strings.TrimPrefix(m.Topic(), o.device.Topic(""))
	if name, is := strings.CutPrefix(leaf, "commands/"); is {
		o.obey(name, m.Payload())
	} else if leaf == "config" {
		o.configure(m.Payload())
	}
}

// obey does what it is told, once for each id.
func (o *orders) obey(name string, payload []byte) {
	var w order
	if json.Unmarshal(payload, &w) != nil || w.ID == "" || !o.isNew(w.ID) {
		return
	}
	leaf := "replies/" + name
	if !w.ExpiresAt.IsZero() && time.Now().After(w.ExpiresAt) {
		o.say(leaf, answer{ID: w.ID, Status: "failed", Message: "it came after it had expired"})
		return
	}
	o.say(leaf, answer{ID: w.ID, Status: "delivered"})
	var args struct {
		Seconds float64 `json:"seconds"`
	}
	if len(w.Args) > 0 {
		if err := json.Unmarshal(w.Args, &args); err != nil {
			o.say(leaf, answer{ID: w.ID, Status: "failed", Message: "the arguments are not understood"})
			return
		}
	}
	length := time.Duration(args.Seconds * float64(time.Second))
	done := answer{ID: w.ID, Status: "succeeded"}
	switch name {
	case "restart":
		o.later(leaf, done)
		o.leave(rebooting)
		return
	case "sleep":
		if length <= 0 || length > maxSleep {
			done = answer{ID: w.ID, Status: "failed", Message: fmt.Sprintf("seconds must be above 0 and at most %.0f", maxSleep.Seconds())}
			break
		}
		o.leave(length)
	case "set_interval":
		if err := o.retime(length); err != nil {
			done = answer{ID: w.ID, Status: "failed", Message: err.Error()}
			break
		}
		done.Result = map[string]float64{"interval_s": args.Seconds}
	case "identify":
		done.Result = map[string]string{"model": "sim-" + o.device.Type, "serial": o.device.ID, "firmware": firmwareVersion}
	case "fail":
		done = answer{ID: w.ID, Status: "failed", Message: "it was told to fail"}
	default:
		done = answer{ID: w.ID, Status: "failed", Message: "this device does not know the command " + name}
	}
	o.say(leaf, done)
}

func (o *orders) isNew(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, old := range o.done {
		if old == id {
			return false
		}
	}
	if o.done = append(o.done, id); len(o.done) > known {
		o.done = o.done[1:]
	}
	return true
}

// configure applies a configuration and reports it. One that it has, as the
// broker sends it on each connection, is no news.
func (o *orders) configure(payload []byte) {
	var s settings
	if len(payload) == 0 || json.Unmarshal(payload, &s) != nil {
		return
	}
	o.mu.Lock()
	old := s.Version == o.version
	o.version = s.Version
	o.mu.Unlock()
	if old {
		return
	}
	s.Firmware = firmwareVersion
	if s.Config.IntervalS != 0 {
		if err := o.retime(time.Duration(s.Config.IntervalS * float64(time.Second))); err != nil {
			s.Error = err.Error()
		}
	}
	o.say("config/reported", s)
}
