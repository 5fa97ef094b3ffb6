package rules

import (
	"strings"
	"testing"
)

func TestDefaultRulesHoldTheFixture(t *testing.T) {
	rs, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	r := rs[0]
	if r.ID != "air.pm25.high" || r.DeviceType != "air_station" || r.Severity != "critical" || r.For != 0 ||
		r.Raises(150) || !r.Raises(150.1) || r.Clears(120) || !r.Clears(119.9) {
		t.Errorf("air.pm25.high is %+v", r)
	}
}

func TestBadRulesSayWhy(t *testing.T) {
	const head = "- id: a\n  name: {vi: a, en: a}\n  device_type: x\n  severity: major\n"
	for rule, says := range map[string]string{
		head + "  kind: threshold\n  metric: m\n  above: 5\n  clear: 6\n":                       "clear while it raises",
		head + "  kind: threshold\n  metric: m\n":                                               "either above or below",
		head + "  kind: threshold\n  metric: m\n  above: .nan\n":                                "default.yaml:7: rule 1 (a): above: must be a finite number",
		head + "  kind: threshold\n  metric: m\n  above: 1\n  for: -1m\n":                       "default.yaml:8: rule 1 (a): for:",
		head + "  kind: geofence\n  on: enter\n  polygon: [[0,0], [1,1], [1,0], [0,1]]\n":       "cross",
		head + "  kind: geofence\n  on: enter\n  polygon: [[0,0], [1,1], [0,0]]\n":              "three different",
		head + "  kind: threshold\n  metric: m\n  above: 1\n  for: soon\n":                      "\"soon\" is no length of time",
		head + "  kind: threshold\n  metric: m\n  above: 1\n  colour: red\n":                    "colour",
		head + "  kind: sometimes\n":                                                            "unknown",
		head + "  kind: absence\n":                                                              "at least 1",
		head + "  kind: geofence\n  on: enter\n  polygon: [[17, 16], [18, 16]]\n":               "three",
		head + "  kind: geofence\n  on: enter\n  polygon: [[17, 106], [18, 106], [1,2]]\n":      "[lon, lat]",
		strings.Replace(head, "major", "awful", 1) + "  kind: absence\n  intervals: 3\n":        "severity",
		head + "  kind: absence\n  intervals: 3\n" + head + "  kind: absence\n  intervals: 3\n": "twice",
		head + "  kind: event\n  quiet: 1h\n":                                                   "at least one type",
		head + "  kind: event\n  events: [sos]\n":                                               "at least 1m",
		head + "  kind: event\n  events: [sos]\n  quiet: soon\n":                                "quiet: \"soon\" is no length of time",
		"- id: [": "default",
	} {
		if _, err := Parse("default.yaml", []byte(rule)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("rule\n%ssays %v, want …%s…", rule, err, says)
		}
	}
}
