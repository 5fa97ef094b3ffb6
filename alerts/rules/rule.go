// Package rules reads the conditions that raise alerts from YAML.
package rules

import (
	_ "embed"
	"fmt"
	"os"
	"time"

	"github.com/paulmach/orb"

	"haidang/alerts"
	"haidang/devices"
)

//go:embed default.yaml
var defaultYAML []byte

// Kind is the kind of condition.
type Kind string

// The kinds of condition.
const (
	// Threshold: a metric beyond a limit for at least For, until it is back
	// behind its own clear value.
	Threshold Kind = "threshold"
	// Absence: nothing received for Intervals × the expected interval.
	Absence Kind = "absence"
	// Geofence: a device enters, or leaves, a polygon.
	Geofence Kind = "geofence"
	// Event: a device says one of Events, until it has not for Quiet.
	Event Kind = "event"
)

// Rule is one condition on the devices of one type, or for events, where no
// type is named, of all.
type Rule struct {
	ID         string          `yaml:"id"`
	Name       alerts.Name     `yaml:"name"`
	Kind       Kind            `yaml:"kind"`
	DeviceType devices.TypeID  `yaml:"device_type"`
	Device     devices.ID      `yaml:"device"` // only this one; empty: all of the type
	Severity   alerts.Severity `yaml:"severity"`
	// Threshold.
	Metric string   `yaml:"metric"`
	Above  *float64 `yaml:"above"`
	Below  *float64 `yaml:"below"`
	Clear  *float64 `yaml:"clear"`
	// For is how long the condition must hold, for thresholds and fences; as
	// ForText it is read: 90s, 5m, 2h.
	For     time.Duration `yaml:"-"`
	ForText string        `yaml:"for"`
	// Absence.
	Intervals float64 `yaml:"intervals"`
	// Event: the types of event, and how long after the last of them it is over.
	Events    []string      `yaml:"events"`
	Quiet     time.Duration `yaml:"-"`
	QuietText string        `yaml:"quiet"`
	// Geofence: On is "enter" or "exit"; Polygon is one ring of [lon, lat]
	// without holes, plain in the plane: a fence is small beside the earth.
	On      string       `yaml:"on"`
	Fence   string       `yaml:"fence"`
	Polygon [][2]float64 `yaml:"polygon"`

	ring orb.Ring
}

// Raises says whether x is beyond the limit.
func (r *Rule) Raises(x float64) bool {
	return r.Above != nil && x > *r.Above || r.Below != nil && x < *r.Below
}

// Clears says whether x is back behind the clear value.
func (r *Rule) Clears(x float64) bool {
	if r.Above != nil {
		return x < *r.Clear
	}
	return x > *r.Clear
}

// Limit is the value that was crossed.
func (r *Rule) Limit() float64 {
	if r.Above != nil {
		return *r.Above
	}
	return *r.Below
}

// Ring is the fence's outline.
func (r *Rule) Ring() orb.Ring { return r.ring }

// Default returns the rules that ship with the program.
func Default() ([]Rule, error) { return Parse("default.yaml", defaultYAML) }

// Load reads a file of rules.
func Load(path string) ([]Rule, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return Parse(path, b)
}
