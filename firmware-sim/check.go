package firmwaresim

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

var (
	idPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*%0[1-9]d$`)
	deviceTypes = []string{TypeAirStation, TypeWaterLevel, TypeTrafficCamera, TypeFishingVessel}
)

// check says what is wrong with a scenario in words that name the place.
func (s *Scenario) check() error {
	if len(s.Groups) == 0 {
		return fmt.Errorf("groups: there is no group of devices")
	}
	if s.ConnectsPerSecond < 0 {
		return fmt.Errorf("connects_per_second: %v is below zero", s.ConnectsPerSecond)
	}
	if s.DayStart != "" {
		if _, err := time.Parse("15:04", s.DayStart); err != nil {
			return fmt.Errorf("day_start: %q is not a time such as 06:30", s.DayStart)
		}
	}
	for i, g := range s.Groups {
		if err := g.check(); err != nil {
			return fmt.Errorf("groups[%d]: %w", i, err)
		}
	}
	known := map[string]bool{}
	for _, d := range s.Devices() {
		if known[d.ID] {
			return fmt.Errorf("groups: two devices have the id %s", d.ID)
		}
		known[d.ID] = true
	}
	for i, e := range s.Episodes {
		switch {
		case !known[e.Device]:
			return fmt.Errorf("episodes[%d]: there is no device %q", i, e.Device)
		case e.Metric == "":
			return fmt.Errorf("episodes[%d]: metric is missing", i)
		case e.Every < 0 || e.Start < 0 || e.Rise < 0 || e.Hold < 0 || e.Fall < 0:
			return fmt.Errorf("episodes[%d]: a time is below zero", i)
		}
	}
	for i, f := range s.Faults {
		if err := f.check(); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
	}
	return nil
}

func (g Group) check() error {
	switch {
	case !slices.Contains(deviceTypes, g.Type):
		return fmt.Errorf("type %q is none of %v", g.Type, deviceTypes)
	case !idPattern.MatchString(g.ID):
		return fmt.Errorf("id %q is not a pattern such as qb-air-%%02d", g.ID)
	case g.Interval <= 0:
		return fmt.Errorf("interval of %s is missing", g.Type)
	case len(g.Sites) == 0:
		return fmt.Errorf("sites of %s are missing", g.Type)
	case g.Count < 0:
		return fmt.Errorf("count %d is below zero", g.Count)
	}
	for i, site := range g.Sites {
		if site.Name == "" || site.Area == "" {
			return fmt.Errorf("sites[%d]: name and area must be given", i)
		}
		if site.Lat < 4 || site.Lat > 24 || site.Lon < 100 || site.Lon > 121 {
			return fmt.Errorf("sites[%d]: %v, %v is not in Việt Nam (are latitude and longitude swapped?)", i, site.Lat, site.Lon)
		}
	}
	return nil
}
