package devices

import "time"

// TypeID names a device type, for example "air_station".
type TypeID string

// TypeGeneric is the type given to devices that registered themselves by
// speaking (unknown_devices = "register"): any metric is taken as it comes.
const TypeGeneric TypeID = "generic"

// Type is what all devices of one kind share.
type Type struct {
	ID     TypeID `yaml:"id"`
	NameVI string `yaml:"name_vi"`
	NameEN string `yaml:"name_en"`
	// Interval is how often such a device sends.
	Interval time.Duration `yaml:"interval"`
	// Mobile devices report positions of their own.
	Mobile bool `yaml:"mobile"`
	// Open types take metrics that are not listed; others keep such values
	// out and count them.
	Open    bool     `yaml:"open"`
	Metrics []Metric `yaml:"metrics"`

	byName map[string]*Metric
}

// Metric is one measured quantity of a device type.
type Metric struct {
	Name   string `yaml:"name"`
	NameVI string `yaml:"name_vi"`
	NameEN string `yaml:"name_en"`
	Unit   string `yaml:"unit"`
	// Min and Max bound what the sensor can physically say; a value outside
	// is kept with quality "out_of_range". Both zero: no bounds.
	Min float64 `yaml:"min"`
	Max float64 `yaml:"max"`
	// Decimals is how many digits after the mark are worth showing.
	Decimals int `yaml:"decimals"`
	// Headline marks the one metric shown on the map.
	Headline bool `yaml:"headline"`
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
