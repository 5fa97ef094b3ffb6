package health

import (
	"time"

	"haidang/devices"
)

// Outage is a silence that ended.
type Outage struct {
	Device devices.ID
	// SeenAt is when the device was last heard before it, DueAt when it should
	// have spoken again, BackAt when it did.
	SeenAt, DueAt, BackAt time.Time
}

// Silence says whether a device that is held to interval was silent between two
// messages, as FreshnessAt judges it.
func Silence(id devices.ID, seen, back time.Time, interval time.Duration) (Outage, bool) {
	if devices.FreshnessAt(back, seen, interval) != devices.Silent {
		return Outage{}, false
	}
	return Outage{id, seen, seen.Add(interval), back}, true
}
