package main

import (
	"slices"
	"time"

	"haidang/alerts/engine"
)

// CohortConfig says when the silences of many devices are one outage; see
// engine.CohortOptions.
type CohortConfig struct {
	Share  float64  `toml:"share"`
	Number int      `toml:"number"`
	Within Duration `toml:"within"`
	By     []string `toml:"by"`
}

func defaultCohorts() CohortConfig {
	return CohortConfig{0.6, 3, Duration(10 * time.Minute), slices.Clone(engine.CohortKinds[:4])}
}

func (c *CohortConfig) options() engine.CohortOptions {
	return engine.CohortOptions{Share: c.Share, Number: c.Number, Within: time.Duration(c.Within), Kinds: c.By}
}

// check says all that is wrong.
func (c *CohortConfig) check(bad func(format string, args ...any)) {
	if !(c.Share > 0 && c.Share <= 1) {
		bad("cohorts.share is %g; it must be above 0 and at most 1", c.Share)
	}
	if c.Number < 2 {
		bad("cohorts.number is %d; it must be at least 2", c.Number)
	}
	if c.Within <= 0 {
		bad("cohorts.within is %s; it must be above 0", c.Within)
	}
	for _, k := range c.By {
		if !slices.Contains(engine.CohortKinds, k) {
			bad("cohorts.by has %q; known are network, gateway, vendor, cohort, area", k)
		}
	}
}
