package devices

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	typeForm    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	metricForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	decoderForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
)

const maxMetrics = 256 // as many as one reading may have values

// check returns t in the form in which it is kept, sharing nothing with the
// caller. The error is a *FieldError; its field is a path, such as
// metrics[2].unit.
func (t Type) check() (Type, error) {
	if !typeForm.MatchString(string(t.ID)) {
		return t, &FieldError{"id", fmt.Sprintf("%.60q is no id of a type: 1 to 40 small letters, digits or '_', starting with a letter", t.ID)}
	}
	if t.ID == "export" || t.ID == "import" {
		return t, &FieldError{"id", fmt.Sprintf("%s is a word of the API; choose another id", t.ID)}
	}
	if err := names("", &t.NameVI, &t.NameEN); err != nil {
		return t, err
	}
	if t.Contract == "" {
		t.Contract = Periodic
	}
	switch {
	case t.Contract != Periodic && t.Contract != Event:
		return t, &FieldError{"contract", fmt.Sprintf("%.20q is unknown; known are periodic, event", t.Contract)}
	case t.Interval < 0 || t.Interval > maxInterval || t.Interval == 0 && t.Contract == Periodic:
		return t, &FieldError{"interval", "an interval is above 0 and at most a year; only a type with the contract event may have none"}
	case t.Decoder != "" && !decoderForm.MatchString(t.Decoder):
		return t, &FieldError{"decoder", fmt.Sprintf("%.60q is no name of a format", t.Decoder)}
	case len(t.Metrics) > maxMetrics:
		return t, &FieldError{"metrics", fmt.Sprintf("a type has at most %d metrics", maxMetrics)}
	case t.Dashboard.Window < 0 || t.Dashboard.Window > 366*24*time.Hour:
		return t, &FieldError{"dashboard.window", "the time shown is at most a year"}
	}
	t.Metrics = slices.Clone(t.Metrics)
	headline, seen := "", map[string]bool{}
	for i := range t.Metrics {
		m := &t.Metrics[i]
		if err := m.check(fmt.Sprintf("metrics[%d].", i)); err != nil {
			return t, err
		}
		if seen[m.Name] {
			return t, &FieldError{fmt.Sprintf("metrics[%d].name", i), m.Name + " is there twice"}
		}
		seen[m.Name] = true
		if m.Headline && headline != "" {
			return t, &FieldError{fmt.Sprintf("metrics[%d].headline", i), "only one metric is shown on the map, and " + headline + " is already"}
		}
		if m.Headline {
			headline = m.Name
		}
	}
	t.Dashboard.Metrics = slices.Clone(t.Dashboard.Metrics)
	for i, name := range t.Dashboard.Metrics {
		if !seen[name] {
			return t, &FieldError{fmt.Sprintf("dashboard.metrics[%d]", i), fmt.Sprintf("%.64q is no metric of this type", name)}
		}
	}
	t.Index()
	return t, nil
}

func (m *Metric) check(at string) error {
	if !metricForm.MatchString(m.Name) {
		return &FieldError{at + "name", fmt.Sprintf("%.80q is no name of a metric: 1 to 64 letters, digits, '_', '.' or '-'", m.Name)}
	}
	if err := names(at, &m.NameVI, &m.NameEN); err != nil {
		return err
	}
	var err error
	if m.Unit, err = line(at+"unit", m.Unit, 40); err != nil {
		return err
	}
	if m.Kind == "" {
		m.Kind = Gauge
	}
	switch {
	case m.Kind != Gauge && m.Kind != Counter && m.Kind != State:
		return &FieldError{at + "kind", fmt.Sprintf("%.20q is unknown; known are gauge, counter, state", m.Kind)}
	case math.IsNaN(m.Min) || math.IsInf(m.Min, 0):
		return &FieldError{at + "min", "it is no number"}
	case math.IsNaN(m.Max) || math.IsInf(m.Max, 0):
		return &FieldError{at + "max", "it is no number"}
	case m.Min >= m.Max && (m.Min != 0 || m.Max != 0):
		return &FieldError{at + "max", fmt.Sprintf("the most, %g, must be above the least, %g; leave out both for no bounds", m.Max, m.Min)}
	case m.Decimals < 0 || m.Decimals > 9:
		return &FieldError{at + "decimals", "from 0 to 9 digits are shown after the mark"}
	}
	return nil
}

// names checks a name in both languages.
func names(at string, vi, en *string) (err error) {
	for field, s := range map[string]*string{"name_vi": vi, "name_en": en} {
		if *s, err = line(at+field, *s, maxNameBytes); err != nil {
			return err
		}
		if strings.TrimSpace(*s) == "" {
			return &FieldError{at + field, "a name is missing; it is shown in this language"}
		}
	}
	return nil
}
