package devices

import "time"

// Freshness says how far what we know of a device can be trusted to be now.
type Freshness string

const (
	// Live: it spoke within its expected interval and a half.
	Live Freshness = "live"
	// Late: it missed one message, not yet three.
	Late Freshness = "late"
	// Silent: nothing for more than three expected intervals.
	Silent Freshness = "silent"
	// Never: registered, but it has never spoken.
	Never Freshness = "never"
)

// FreshnessAt judges a device that last spoke at lastSeen and is expected
// every interval. Half an interval of grace keeps ordinary jitter live.
func FreshnessAt(now, lastSeen time.Time, interval time.Duration) Freshness {
	if lastSeen.IsZero() {
		return Never
	}
	if interval <= 0 {
		return Live
	}
	switch age := now.Sub(lastSeen); {
	case age <= interval+interval/2:
		return Live
	case age <= 3*interval:
		return Late
	default:
		return Silent
	}
}
