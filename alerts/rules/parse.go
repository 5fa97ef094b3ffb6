package rules

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/paulmach/orb"

	"haidang/alerts"
)

// Parse reads rules; name is how errors call the file. Unknown keys, ids used
// twice and conditions that can never hold or never clear are errors, with the
// line.
func Parse(name string, b []byte) ([]Rule, error) {
	var rs []Rule
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&rs); err != nil && len(bytes.TrimSpace(b)) > 0 {
		return nil, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	seen := map[string]bool{}
	for i := range rs {
		r := &rs[i]
		f := r.check()
		if f == nil && seen[r.ID] {
			f = &fault{"id", fmt.Sprintf("%s is used twice", r.ID)}
		}
		if f != nil {
			return nil, fmt.Errorf("%s:%d: rule %d (%s): %s: %s", name, line(b, i, f.key), i+1, r.ID, f.key, f.reason)
		}
		seen[r.ID] = true
	}
	return rs, nil
}

// fault says what is wrong with one key of a rule.
type fault struct{ key, reason string }

func faultf(key, format string, args ...any) *fault { return &fault{key, fmt.Sprintf(format, args...)} }

// line finds where a rule says key, or where it begins when it does not.
func line(b []byte, rule int, key string) int {
	file, err := parser.ParseBytes(b, 0)
	if err != nil || len(file.Docs) == 0 {
		return 0
	}
	list, ok := file.Docs[0].Body.(*ast.SequenceNode)
	if !ok || rule >= len(list.Values) {
		return 0
	}
	m, ok := list.Values[rule].(*ast.MappingNode)
	if !ok {
		return list.Values[rule].GetToken().Position.Line
	}
	for _, v := range m.Values {
		if v.Key.String() == key {
			return v.Key.GetToken().Position.Line
		}
	}
	return m.Values[0].Key.GetToken().Position.Line
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (r *Rule) check() *fault {
	switch {
	case !idForm.MatchString(r.ID):
		return faultf("id", "must be 1 to 64 small letters, digits, '.', '_' or '-'")
	case r.Name.VI == "" || r.Name.EN == "":
		return faultf("name", "needs vi and en")
	case r.DeviceType == "" && r.Kind != Event:
		return faultf("device_type", "is missing")
	}
	for _, d := range []struct {
		key, text string
		to        *time.Duration
	}{{"for", r.ForText, &r.For}, {"quiet", r.QuietText, &r.Quiet}} {
		if d.text == "" {
			continue
		}
		var err error
		if *d.to, err = time.ParseDuration(d.text); err != nil || *d.to < 0 {
			return faultf(d.key, "%q is no length of time; write 90s, 5m or 2h", d.text)
		}
	}
	switch r.Severity {
	case alerts.Critical, alerts.Major, alerts.Minor, alerts.Info:
	default:
		return faultf("severity", "%q is unknown; known are critical, major, minor, info", r.Severity)
	}
	switch r.Kind {
	case Threshold:
		return r.checkThreshold()
	case Absence:
		if !(r.Intervals >= 1) || math.IsInf(r.Intervals, 0) {
			return faultf("intervals", "must be a number of at least 1")
		}
		return nil
	case Geofence:
		return r.checkFence()
	case Event:
		return r.checkEvent()
	}
	return faultf("kind", "%q is unknown; known are threshold, absence, geofence, event", r.Kind)
}

func (r *Rule) checkEvent() *fault {
	switch {
	case len(r.Events) == 0 || slices.Contains(r.Events, ""):
		return faultf("events", "name at least one type of event, as devices send it")
	case r.Quiet < time.Minute:
		return faultf("quiet", "says how long after the last event it is over; give at least 1m")
	}
	return nil
}

func (r *Rule) checkThreshold() *fault {
	for key, x := range map[string]*float64{"above": r.Above, "below": r.Below, "clear": r.Clear} {
		if x != nil && (math.IsNaN(*x) || math.IsInf(*x, 0)) {
			return faultf(key, "must be a finite number: nothing is ever beyond %g", *x)
		}
	}
	switch {
	case r.Metric == "":
		return faultf("metric", "is missing")
	case (r.Above == nil) == (r.Below == nil):
		return faultf("above", "give either above or below")
	case r.Clear == nil:
		limit := r.Limit()
		r.Clear = &limit
	case r.Above != nil && *r.Clear > *r.Above, r.Below != nil && *r.Clear < *r.Below:
		return faultf("clear", "%g lies beyond the limit %g: it would clear while it raises", *r.Clear, r.Limit())
	}
	return nil
}

func (r *Rule) checkFence() *fault {
	if r.On != "enter" && r.On != "exit" {
		return faultf("on", "must be enter or exit, not %q", r.On)
	}
	for _, p := range r.Polygon {
		if !(math.Abs(p[0]) <= 180) || !(math.Abs(p[1]) <= 90) {
			return faultf("polygon", "point [%g, %g] is no place on earth; points are [lon, lat]", p[0], p[1])
		}
		r.ring = append(r.ring, orb.Point{p[0], p[1]})
	}
	if n := len(r.ring); n > 1 && r.ring[0] == r.ring[n-1] {
		r.ring = r.ring[:n-1]
	}
	if len(r.ring) < 3 {
		return faultf("polygon", "needs at least three different [lon, lat] points")
	}
	r.ring = append(r.ring, r.ring[0])
	if i, j := crossing(r.ring); i >= 0 {
		return faultf("polygon", "its sides from point %d and from point %d cross: inside and outside would be unclear", i+1, j+1)
	}
	if r.Fence == "" {
		r.Fence = r.ID
	}
	return nil
}

// crossing finds two sides of a closed ring that cross, by the signs of their
// ends' turns; -1 when none do.
func crossing(ring orb.Ring) (int, int) {
	turn := func(a, b, c orb.Point) float64 { return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0]) }
	for i := range len(ring) - 1 {
		for j := i + 2; j < len(ring)-1; j++ {
			a, b, c, d := ring[i], ring[i+1], ring[j], ring[j+1]
			if turn(a, b, c)*turn(a, b, d) < 0 && turn(c, d, a)*turn(c, d, b) < 0 {
				return i, j
			}
		}
	}
	return -1, -1
}
