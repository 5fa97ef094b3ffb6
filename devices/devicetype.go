package devices

import "time"

// TypeID names a device type, for example "air_station".
type TypeID string

// TypeGeneric is the type given to devices that registered themselves by
// speaking (unknown_devices = "register"): any metric is taken as it comes.
const TypeGeneric TypeID = "generic"

// Contract is when a device speaks.
type Contract string

const (
	// Periodic devices speak once an interval: one that does not is silent.
	Periodic Contract = "periodic"
	// Event devices speak when something happens: not to hear them says nothing.
	Event Contract = "event"
)

// Kind is how the values of a metric follow one another.
type Kind string

const (
	// Gauge goes up and down: a level, a temperature.
	Gauge Kind = "gauge"
	// Counter only grows, until it begins anew: a meter.
	Counter Kind = "counter"
	// State is one of few numbers, each of which means something: a gate.
	State Kind = "state"
)

// Type is what all devices of one kind share.
type Type struct {
	ID     TypeID `yaml:"id"`
	NameVI string `yaml:"name_vi"`
	NameEN string `yaml:"name_en"`
	// Interval is how often such a device sends.
	Interval time.Duration `yaml:"interval"`
	// Contract is Periodic when it is empty.
	Contract Contract `yaml:"contract,omitempty"`
	// Decoder is the name of the configured format that such devices usually
	// send; empty is the native form. It is told, and decides nothing.
	Decoder string `yaml:"decoder,omitempty"`
	// Mobile devices report positions of their own.
	Mobile bool `yaml:"mobile,omitempty"`
	// Open types take metrics that are not listed. Others take them too, for
	// what a device measured is not thrown away, but count them, so that somebody
	// lists them: haidang_ingest_unlisted_values_total.
	Open      bool      `yaml:"open,omitempty"`
	Dashboard Dashboard `yaml:"dashboard,omitempty"`
	Metrics   []Metric  `yaml:"metrics,omitempty"`

	// Shipped says that it came with the program, Edited that somebody changed
	// it since. Version grows with each change.
	Shipped bool  `yaml:"-"`
	Edited  bool  `yaml:"-"`
	Version int64 `yaml:"-"`

	byName map[string]*Metric
}

// Dashboard is what a page of such a device begins with.
type Dashboard struct {
	// Metrics are those shown first, in their order; none: the headline.
	Metrics []string `yaml:"metrics,omitempty,flow"`
	// Window is the time shown; 0 is a day.
	Window time.Duration `yaml:"window,omitempty"`
}

// Metric is one measured quantity of a device type.
type Metric struct {
	Name   string `yaml:"name"`
	NameVI string `yaml:"name_vi"`
	NameEN string `yaml:"name_en"`
	Unit   string `yaml:"unit,omitempty"`
	// Min and Max bound what the sensor can physically say; a value outside
	// is kept with quality "out_of_range". Both zero: no bounds.
	Min float64 `yaml:"min,omitempty"`
	Max float64 `yaml:"max,omitempty"`
	// Decimals is how many digits after the mark are worth showing.
	Decimals int `yaml:"decimals,omitempty"`
	// Kind is Gauge when it is empty.
	Kind Kind `yaml:"kind,omitempty"`
	// Headline marks the one metric shown on the map.
	Headline bool `yaml:"headline,omitempty"`
}

// Metric finds a metric by name; nil when the type has none such.
func (t *Type) Metric(name string) *Metric {
	if t.byName == nil {
		return nil
	}
	return t.byName[name]
}

// Index makes Metric's look-up; call it once after filling Metrics.
func (t *Type) Index() {
	t.byName = make(map[string]*Metric, len(t.Metrics))
	for i := range t.Metrics {
		t.byName[t.Metrics[i].Name] = &t.Metrics[i]
	}
}

// UnitsChanged are the metrics of t that next has in another unit, by name.
// Values that were kept in the old one would be read in the new one.
func (t *Type) UnitsChanged(next *Type) (names []string) {
	next.Index()
	for i := range t.Metrics {
		m := &t.Metrics[i]
		if n := next.Metric(m.Name); n != nil && n.Unit != m.Unit {
			names = append(names, m.Name)
		}
	}
	return names
}
