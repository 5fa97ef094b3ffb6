package influx

import (
	"strconv"
	"strings"
	"time"
)

// fluxString quotes s for Flux, where "${" would begin an expression.
func fluxString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", `\${`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

// InfluxDB's own bounds are 1677 and 2262; no reading is near them.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// fluxRange is the range step for from ≤ t < to; ok is false when nothing can
// lie in it, which Flux holds to be an error.
func fluxRange(from, to time.Time) (step string, ok bool) {
	if from.Before(earliest) {
		from = earliest
	}
	if to.After(latest) {
		to = latest
	}
	if !from.Before(to) {
		return "", false
	}
	// InfluxDB 1.8 takes stop in, 2 leaves it out. No fix time lies between it
	// and a nanosecond earlier.
	to = to.Add(-time.Nanosecond)
	return "range(start: " + from.UTC().Format(time.RFC3339Nano) + ", stop: " + to.UTC().Format(time.RFC3339Nano) + ")", true
}

func fluxDuration(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }
