// Package mapping reads a user's own JSON by configuration, without code: which
// path is which metric, in what unit and scale, whose it is and of when.
package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Options are the mapping. Paths are dotted, with [n] for an element of an
// array: data.sensors[0].value.
type Options struct {
	// Records is the path of an array whose elements are readings of their
	// own; empty: the payload is one reading, or an array of them.
	Records string `toml:"records"`
	// Device is the path of the device's name, or TopicLevel which level of
	// the topic it is, counted from 1; one of the two.
	Device     string `toml:"device"`
	TopicLevel int    `toml:"topic_level"`
	Prefix     string `toml:"prefix"` // put before the name
	// Time is the path of the fix time; empty: the time of arrival. Layout is
	// "rfc3339", "unix", "unix_ms", or a layout of Go such as
	// "02/01/2006 15:04:05", read in Zone (Asia/Ho_Chi_Minh unless given).
	Time   string `toml:"time"`
	Layout string `toml:"layout"`
	Zone   string `toml:"zone"`
	Seq    string `toml:"seq"`
	Lat    string `toml:"lat"`
	Lon    string `toml:"lon"`
	// Metrics by name.
	Metrics map[string]Metric `toml:"metrics"`
}

// Metric says where a value is: x × Scale + Offset, in Unit.
type Metric struct {
	Path   string  `toml:"path"`
	Unit   string  `toml:"unit"`
	Scale  float64 `toml:"scale"` // 0 means 1
	Offset float64 `toml:"offset"`
	// Text allows numbers as text; Comma, that they have a decimal comma.
	Text  bool `toml:"text"`
	Comma bool `toml:"comma"`
	// Table turns words into numbers: {on = 1, off = 0}.
	Table map[string]float64 `toml:"table"`
	// Missing are numbers that mean "no value", such as -9999.
	Missing []float64 `toml:"missing"`
}

// step is one key or index of a path.
type step struct {
	key   string
	index int // -1 for a key
}

// maxIndex bounds an index: a record that is kept for replay is put back in its
// place.
const maxIndex = 999

func parsePath(s string) ([]step, error) {
	var steps []step
	for part := range strings.SplitSeq(s, ".") {
		key, rest, indexed := strings.Cut(part, "[")
		if key != "" {
			steps = append(steps, step{key, -1})
		} else if !indexed || len(steps) > 0 {
			return nil, fmt.Errorf("%q is no path: write data.sensors[0].value", s)
		}
		for indexed {
			var number string
			number, rest, _ = strings.Cut(rest, "]")
			n, err := strconv.Atoi(number)
			if err != nil || n < 0 || n > maxIndex || rest != "" && rest[0] != '[' {
				return nil, fmt.Errorf("%q is no path: write data.sensors[0].value", s)
			}
			steps = append(steps, step{index: n})
			if rest, indexed = strings.CutPrefix(rest, "["); !indexed {
				break
			}
		}
	}
	return steps, nil
}

func find(v any, path []step) any {
	for _, s := range path {
		switch {
		case s.index < 0:
			o, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = o[s.key]
		default:
			a, ok := v.([]any)
			if !ok || s.index >= len(a) {
				return nil
			}
			v = a[s.index]
		}
	}
	return v
}

// compiled is a mapping ready for use.
type compiled struct {
	records, device, time, seq, lat, lon []step
	level                                int
	prefix, layout                       string
	zone                                 *time.Location
	metrics                              []metric
}

type metric struct {
	name string
	path []step
	Metric
}

func compile(o Options) (*compiled, error) {
	c := &compiled{level: o.TopicLevel, prefix: o.Prefix, layout: o.Layout}
	for key, p := range map[string]struct {
		text string
		into *[]step
	}{"records": {o.Records, &c.records}, "device": {o.Device, &c.device}, "time": {o.Time, &c.time}, "seq": {o.Seq, &c.seq}, "lat": {o.Lat, &c.lat}, "lon": {o.Lon, &c.lon}} {
		if p.text == "" {
			continue
		}
		var err error
		if *p.into, err = parsePath(p.text); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	switch {
	case (o.Device == "") == (o.TopicLevel == 0):
		return nil, fmt.Errorf("device: give either device (a path) or topic_level (a number from 1)")
	case o.TopicLevel < 0:
		return nil, fmt.Errorf("topic_level: %d is no level; the first is 1", o.TopicLevel)
	case (o.Lat == "") != (o.Lon == ""):
		return nil, fmt.Errorf("lat: lat and lon belong together")
	case len(o.Metrics) == 0 && o.Lat == "":
		return nil, fmt.Errorf("metrics: name at least one metric, or lat and lon")
	case o.Time == "" && o.Layout != "":
		return nil, fmt.Errorf("layout: there is no time to which it belongs")
	}
	if c.layout == "" {
		c.layout = "rfc3339"
	}
	if o.Zone == "" {
		o.Zone = "Asia/Ho_Chi_Minh"
	}
	var err error
	if c.zone, err = location(o.Zone); err != nil {
		return nil, err
	}
	return c, c.addMetrics(o.Metrics)
}

// location knows Vietnam's zone without the machine's table of zones.
func location(name string) (*time.Location, error) {
	if name == "Asia/Ho_Chi_Minh" {
		return time.FixedZone("UTC+7", 7*3600), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone: %q is no time zone; write a name such as Asia/Ho_Chi_Minh or UTC", name)
	}
	return zone, nil
}

func (c *compiled) addMetrics(ms map[string]Metric) error {
	for name, m := range ms {
		path, err := parsePath(m.Path)
		if err != nil || m.Path == "" {
			return fmt.Errorf("metrics.%s.path: %q is no path: write data.sensors[0].value", name, m.Path)
		}
		if m.Scale == 0 {
			m.Scale = 1
		}
		if math.IsNaN(m.Scale+m.Offset) || math.IsInf(m.Scale+m.Offset, 0) {
			return fmt.Errorf("metrics.%s: scale and offset must be finite numbers", name)
		}
		if name == "" || len(name) > 64 {
			return fmt.Errorf("metrics: %q is not a metric name of 1 to 64 bytes", name)
		}
		c.metrics = append(c.metrics, metric{name, path, m})
	}
	return nil
}
