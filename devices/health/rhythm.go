package health

import (
	"math"
	"slices"
	"time"
)

const (
	// remembered is how many gaps a rhythm has, as many as Signal K's ten and
	// two more; warmUp how many are needed before it says anything.
	remembered, warmUp = 12, 5
	// stretch is how far a learned interval may be above the declared one. Some
	// networks of vessels that are to report every 2 hours have gaps of 14
	// (Annex of domain.md, section 3.5).
	stretch = 8
	// burst: what comes within this part of the declared interval is the rest
	// of what came before, a backlog, and says nothing of the rhythm.
	burst = 4
)

// Rhythm is the last gaps between what came of a device, or of one metric. Its
// zero value knows nothing.
type Rhythm struct {
	// Gaps are in milliseconds, the newest at (Taken-1) % len.
	Gaps [remembered]uint32
	// Taken is how many gaps were taken in all, Median the middle one of Gaps.
	Taken, Median uint32
}

// Take notes a gap; declared is the interval that was declared, or 0.
func (r *Rhythm) Take(gap, declared time.Duration) {
	if gap < time.Second || gap < declared/burst {
		return
	}
	r.Gaps[r.Taken%remembered] = uint32(min(gap.Milliseconds(), math.MaxUint32))
	r.Taken++
	gaps, n := r.Gaps, min(int(r.Taken), remembered) // a copy, to be sorted
	slices.Sort(gaps[:n])
	r.Median = gaps[n/2]
}

// Typical is the median of the last gaps, so that a few outages change nothing;
// ok is false while too few are known.
func (r *Rhythm) Typical() (gap time.Duration, ok bool) {
	return time.Duration(r.Median) * time.Millisecond, r.Taken >= warmUp
}
