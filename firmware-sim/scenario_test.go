package firmwaresim

import (
	"strings"
	"testing"
)

func TestScenarioErrorsNameThePlace(t *testing.T) {
	const good = `name: x
groups:
  - type: air_station
    id: a-%02d
    interval: 5m
    sites: [{name: Đồng Hới, area: dong-hoi, lat: 17.468, lon: 106.622}]
`
	if _, err := Parse("x", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ from, to, want string }{
		"unknown key":   {"interval: 5m", "interval: 5m\n    intervall: 5m", "intervall"},
		"unknown type":  {"air_station", "air_statoin", "air_statoin"},
		"bad pattern":   {"a-%02d", "a-1", "pattern"},
		"no interval":   {"    interval: 5m\n", "", "interval"},
		"bad interval":  {"5m", "5 minutes", "5 minutes"},
		"swapped":       {"lat: 17.468, lon: 106.622", "lat: 106.622, lon: 17.468", "swapped"},
		"no area":       {", area: dong-hoi", "", "area"},
		"bad fault":     {"name: x", "name: x\nfaults: [{kind: fire, probability: 1}]", `faults[0]: kind "fire"`},
		"probability":   {"name: x", "name: x\nfaults: [{kind: garbage, probability: 3}]", "between 0 and 1"},
		"lost episode":  {"name: x", "name: x\nepisodes: [{device: b, metric: pm25}]", `no device "b"`},
		"bad day start": {"name: x", "name: x\nday_start: noon", "noon"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("x", []byte(strings.Replace(good, test.from, test.to, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v does not say %q", err, test.want)
			}
		})
	}
	if _, err := Load("no-such"); err == nil || !strings.Contains(err.Error(), DefaultScenario) {
		t.Fatalf("error %v does not list the shipped scenarios", err)
	}
}
