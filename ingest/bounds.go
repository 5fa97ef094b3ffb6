package ingest

import (
	"fmt"
	"time"

	"haidang/devices"
)

// Bounds are the limits within which a reading is believed.
type Bounds struct {
	// LiveWithin: a message that arrives this soon after its fix time is live.
	LiveWithin time.Duration
	// BackfillAfter: a message that is older than this is backfill.
	BackfillAfter time.Duration
	// Future is how far a device's clock may run ahead.
	Future time.Duration
	// Past is how old a reading may be.
	Past time.Duration
	// OnFuture and OnPast are what becomes of a fix time outside these.
	OnFuture, OnPast TimePolicy
	// MinLat to MaxLon is the region in which positions are believed.
	MinLat, MaxLat, MinLon, MaxLon float64
}

// TimePolicy is what becomes of a reading whose fix time cannot be right.
type TimePolicy string

// The policies.
const (
	// RefuseTime makes a dead letter of it: nothing false is kept as true.
	RefuseTime TimePolicy = "refuse"
	// ClampTime takes the time of arrival instead, marked as assumed.
	ClampTime TimePolicy = "clamp"
	// AcceptTime keeps it as it was sent and flags the reading: its values are
	// of quality time_suspect and count in no average and no rule.
	AcceptTime TimePolicy = "accept"
)

// Known says whether p is one of the policies.
func (p TimePolicy) Known() bool { return p == RefuseTime || p == ClampTime || p == AcceptTime }

// DefaultBounds fit Vietnam and its seas: positions within 4–24° N and
// 100–121° E, the range check that swapped coordinates in print call for; at
// most 36 months back, as long as vessel tracks must be kept (Decree 41/2026).
func DefaultBounds() Bounds {
	return Bounds{
		LiveWithin: 5 * time.Minute, BackfillAfter: 24 * time.Hour,
		Future: 10 * time.Minute, Past: 3 * 366 * 24 * time.Hour, OnFuture: RefuseTime, OnPast: RefuseTime,
		MinLat: 4, MaxLat: 24, MinLon: 100, MaxLon: 121,
	}
}

func invalid(code, format string, args ...any) *Refusal {
	return &Refusal{StageValidate, code, fmt.Sprintf(format, args...)}
}

// Whatever the policy, a time outside these is of no calendar we keep.
var (
	earliestTime = time.Unix(0, 0)
	latestTime   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// settle makes sure of a fix time: a missing one is the time of arrival, one
// out of bounds follows the policy.
func (b *Bounds) settle(fix *time.Time, assumed, suspect *bool, received time.Time) *Refusal {
	if fix.IsZero() {
		*fix, *assumed = received, true
		return nil
	}
	r := b.checkTime(*fix, received)
	if r == nil {
		return nil
	}
	policy := b.OnPast
	if fix.After(received) {
		policy = b.OnFuture
	}
	switch {
	case policy == ClampTime:
		*fix, *assumed = received, true
	case policy == AcceptTime && !fix.Before(earliestTime) && fix.Before(latestTime):
		*suspect = true
	default:
		return r
	}
	return nil
}

// checkTime judges a fix time against the time of arrival.
func (b *Bounds) checkTime(fix, received time.Time) *Refusal {
	switch {
	case fix.After(received.Add(b.Future)):
		return invalid("time_in_future", "the fix time %s is more than %s ahead of the server's clock (%s); check the device's clock and time zone",
			fix.Format(time.RFC3339), b.Future, received.UTC().Format(time.RFC3339))
	case fix.Before(received.Add(-b.Past)):
		return invalid("time_too_old", "the fix time %s is older than the %d days that are kept; a clock that starts in 1970 has lost its time",
			fix.Format(time.RFC3339), int(b.Past.Hours()/24))
	}
	return nil
}

// checkPosition tells a swapped pair from one that is merely elsewhere. It
// never corrects: a guess would become evidence.
func (b *Bounds) checkPosition(p *devices.Position) *Refusal {
	if p == nil {
		return nil
	}
	inside := func(lat, lon float64) bool {
		return lat >= b.MinLat && lat <= b.MaxLat && lon >= b.MinLon && lon <= b.MaxLon
	}
	switch {
	case inside(p.Lat, p.Lon):
		return nil
	case inside(p.Lon, p.Lat):
		return invalid("position_swapped", "latitude %g and longitude %g look swapped: that latitude fits as a longitude and the other way round", p.Lat, p.Lon)
	case p.Lat < -90 || p.Lat > 90 || p.Lon < -180 || p.Lon > 180:
		return invalid("position_invalid", "latitude %g, longitude %g is no place on earth: latitude goes from -90 to 90, longitude from -180 to 180", p.Lat, p.Lon)
	default:
		return invalid("position_outside", "latitude %g, longitude %g is outside the region that is watched (%g to %g N, %g to %g E)", p.Lat, p.Lon, b.MinLat, b.MaxLat, b.MinLon, b.MaxLon)
	}
}

func (b *Bounds) lateness(fix, received time.Time) Lateness {
	switch age := received.Sub(fix); {
	case age <= b.LiveWithin:
		return LiveNow
	case age < b.BackfillAfter:
		return LateArrival
	default:
		return Backfill
	}
}
