package firmwaresim

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// DefaultScenario is the scenario that Load gives for an empty name.
const DefaultScenario = "quang-binh"

//go:embed scenarios/*.yaml
var shipped embed.FS

// Scenario says who is there, how the day runs and what goes wrong.
type Scenario struct {
	Name              string    `yaml:"name"`
	Title             string    `yaml:"title"`
	DayStart          string    `yaml:"day_start"`           // local time of the virtual day at the start, such as 06:30; empty is the real one
	ConnectsPerSecond float64   `yaml:"connects_per_second"` // bounds the dial rate; 200 if not given
	Groups            []Group   `yaml:"groups"`
	Citizens          Citizens  `yaml:"citizens"`
	Episodes          []Episode `yaml:"episodes"`
	Faults            []Fault   `yaml:"faults"`
}

// Group is the devices of one type, with ids made from a pattern.
type Group struct {
	Type     string        `yaml:"type"`
	ID       string        `yaml:"id"` // pattern such as qb-air-%02d
	Interval time.Duration `yaml:"interval"`
	Count    int           `yaml:"count"` // as many as sites if not given
	Sites    []Site        `yaml:"sites"`
}

// Site is where a device stands, or the port a vessel belongs to.
type Site struct {
	Name string  `yaml:"name"`
	Area string  `yaml:"area"`
	Lat  float64 `yaml:"lat"`
	Lon  float64 `yaml:"lon"`
}

// Citizens says how often people report something; an Every of 0 is never.
type Citizens struct {
	Every time.Duration `yaml:"every"` // mean, in virtual time
}

// Episode lifts one metric of one device for a while: smoke, a flood wave.
type Episode struct {
	Device string        `yaml:"device"`
	Metric string        `yaml:"metric"`
	Start  time.Duration `yaml:"start"` // virtual time since the start of the run
	Rise   time.Duration `yaml:"rise"`
	Hold   time.Duration `yaml:"hold"`
	Fall   time.Duration `yaml:"fall"`
	Add    float64       `yaml:"add"`
	Every  time.Duration `yaml:"every"` // comes again; 0 is once
}

// Load reads a scenario: a shipped one by its name, any other by its path.
// Unknown keys are errors that name the line.
func Load(nameOrPath string) (*Scenario, error) {
	if nameOrPath == "" {
		nameOrPath = DefaultScenario
	}
	text, err := shipped.ReadFile("scenarios/" + nameOrPath + ".yaml")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		text, err = os.ReadFile(nameOrPath)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no scenario %q: it is neither a file nor one of %s", nameOrPath, strings.Join(Shipped(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return Parse(nameOrPath, text)
}

// Parse reads a scenario from text; name is for error messages.
func Parse(name string, text []byte) (*Scenario, error) {
	var s Scenario
	if err := yaml.UnmarshalWithOptions(text, &s, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	if s.ConnectsPerSecond == 0 {
		s.ConnectsPerSecond = 200
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	return &s, nil
}

// Shipped lists the scenarios inside the program.
func Shipped() []string {
	entries, _ := shipped.ReadDir("scenarios")
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}
