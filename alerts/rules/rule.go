// Package rules reads the conditions that raise alerts from YAML.
package rules

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/goccy/go-yaml"
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
)

// Rule is one condition on the devices of one type.
type Rule struct {
	ID         string          `yaml:"id"`
	Name       alerts.Name     `yaml:"name"`
	Kind       Kind            `yaml:"kind"`
	DeviceType devices.TypeID  `yaml:"device_type"`
	Device     devices.ID      `yaml:"device"` // only this one; empty: all of the type
	Severity   alerts.Severity `yaml:"severity"`
	// Threshold.
	Metric string        `yaml:"metric"`
	Above  *float64      `yaml:"above"`
	Below  *float64      `yaml:"below"`
	Clear  *float64      `yaml:"clear"`
	For    time.Duration `yaml:"for"`
	// Absence.
	Intervals float64 `yaml:"intervals"`
	// Geofence: On is "enter" or "exit"; Polygon is a ring of [lon, lat].
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

// Parse reads rules; name is how errors call the file. Unknown keys, ids used
// twice and conditions that can never clear are errors, with the line.
func Parse(name string, b []byte) ([]Rule, error) {
	var rs []Rule
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&rs); err != nil {
		return nil, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	seen := map[string]bool{}
	for i := range rs {
		if err := rs[i].check(); err != nil {
			return nil, fmt.Errorf("%s: rule %d (%s): %w", name, i+1, rs[i].ID, err)
		}
		if seen[rs[i].ID] {
			return nil, fmt.Errorf("%s: rule id %s is used twice", name, rs[i].ID)
		}
		seen[rs[i].ID] = true
	}
	return rs, nil
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (r *Rule) check() error {
	switch {
	case !idForm.MatchString(r.ID):
		return fmt.Errorf("id must be 1 to 64 small letters, digits, '.', '_' or '-'")
	case r.Name.VI == "" || r.Name.EN == "":
		return fmt.Errorf("name needs vi and en")
	case r.DeviceType == "":
		return fmt.Errorf("device_type is missing")
	}
	switch r.Severity {
	case alerts.Critical, alerts.Major, alerts.Minor, alerts.Info:
	default:
		return fmt.Errorf("severity %q is unknown; known are critical, major, minor, info", r.Severity)
	}
	switch r.Kind {
	case Threshold:
		return r.checkThreshold()
	case Absence:
		if r.Intervals < 1 {
			return fmt.Errorf("intervals must be at least 1")
		}
	case Geofence:
		return r.checkFence()
	default:
		return fmt.Errorf("kind %q is unknown; known are threshold, absence, geofence", r.Kind)
	}
	return nil
}

func (r *Rule) checkThreshold() error {
	switch {
	case r.Metric == "":
		return fmt.Errorf("metric is missing")
	case (r.Above == nil) == (r.Below == nil):
		return fmt.Errorf("give either above or below")
	case r.Clear == nil:
		limit := r.Limit()
		r.Clear = &limit
	case r.Above != nil && *r.Clear > *r.Above, r.Below != nil && *r.Clear < *r.Below:
		return fmt.Errorf("the clear value %g lies beyond the limit %g: it would clear while it raises", *r.Clear, r.Limit())
	}
	if r.For < 0 {
		return fmt.Errorf("for must not be negative")
	}
	return nil
}

func (r *Rule) checkFence() error {
	if r.On != "enter" && r.On != "exit" {
		return fmt.Errorf("on must be enter or exit, not %q", r.On)
	}
	if len(r.Polygon) < 3 {
		return fmt.Errorf("polygon needs at least three [lon, lat] points")
	}
	for _, p := range r.Polygon {
		if p[0] < -180 || p[0] > 180 || p[1] < -90 || p[1] > 90 {
			return fmt.Errorf("polygon point [%g, %g] is no place on earth; points are [lon, lat]", p[0], p[1])
		}
		r.ring = append(r.ring, orb.Point{p[0], p[1]})
	}
	r.ring = append(r.ring, r.ring[0])
	if r.Fence == "" {
		r.Fence = r.ID
	}
	return nil
}
