package latest

import (
	"time"

	"haidang/ingest"
)

// Trust is what a device's own numbering and clock say about its data.
type Trust struct {
	// LastSeq is the newest sequence number; ingest.NoSeq when it gives none.
	LastSeq int64
	// Gaps is how often numbers were skipped, Missing how many are still
	// missing: what comes late fills its gap.
	Gaps, Missing int64
	// Restarts is how often its numbering began anew.
	Restarts int64
	// Open are the newest gaps, oldest first.
	Open []Gap
	// HeardAt is when the last number arrived.
	HeardAt time.Time
	// Before is where the numbering was when it seemed to begin anew, until it
	// goes on from the new place; nil else.
	Before *Numbering
	// Skews holds the last two windows of clock readings.
	Skews [2]SkewWindow
}

// Gap is a run of sequence numbers that did not come, both ends included.
type Gap struct{ From, To int64 }

// Numbering is a state of a device's numbers; see Trust.
type Numbering struct {
	LastSeq int64
	Open    []Gap
}

// SkewWindow is the least time between fix and arrival over some readings.
type SkewWindow struct {
	N     int
	Least time.Duration
}

const (
	// maxGaps bounds what is remembered of gaps; older ones are not filled.
	maxGaps = 32
	// maxBurst and maxPerSecond bound a jump that still is a gap.
	maxBurst, maxPerSecond = 10_000, 100
	// skewReadings is how many readings a window has: two of them span what
	// the estimate rests on, so that a clock set right shows soon.
	skewReadings = 20
)

// takeSeq follows the numbering. A number far below the newest is a device that
// began anew, not one that is late; so is one so far above it that the device
// cannot have sent what is between. When a lone number was wrong, the next goes
// on where the numbering was before.
func (t *Trust) takeSeq(seq int64, received time.Time) {
	if seq < 0 { // none, or made of the content
		return
	}
	most := mostBetween(t.HeardAt, received)
	t.HeardAt = later(t.HeardAt, received)
	if b := t.Before; b != nil && seq > b.LastSeq && seq-b.LastSeq <= most {
		t.LastSeq, t.Open, t.Before = b.LastSeq, b.Open, nil
	}
	switch {
	case t.LastSeq == ingest.NoSeq:
		t.LastSeq = seq
	case seq > t.LastSeq+most:
		t.restart(seq)
	case seq > t.LastSeq:
		if missing := seq - t.LastSeq - 1; missing > 0 {
			t.Gaps++
			t.Missing += missing
			open := t.Open[max(0, len(t.Open)-maxGaps+1):]
			// A new array: readers may hold the old one.
			t.Open = append(append(make([]Gap, 0, len(open)+1), open...), Gap{t.LastSeq + 1, seq - 1})
		}
		t.LastSeq, t.Before = seq, nil
	case !t.fill(seq) && seq < t.LastSeq/2:
		t.restart(seq)
	}
}

// mostBetween is how many numbers a device can have used from one arrival to the
// next: a hundred a second, and a burst.
func mostBetween(last, now time.Time) int64 {
	if last.IsZero() { // of a snapshot that did not have it
		return maxBurst
	}
	return maxBurst + maxPerSecond*int64(max(0, now.Sub(last))/time.Second)
}

func (t *Trust) restart(seq int64) {
	t.Restarts++
	t.Before = &Numbering{t.LastSeq, t.Open}
	t.LastSeq, t.Open = seq, nil
}

// fill takes a number out of the gap that it was missing from.
func (t *Trust) fill(seq int64) bool {
	for i, g := range t.Open {
		if seq < g.From || seq > g.To {
			continue
		}
		rest := make([]Gap, 0, len(t.Open)+1)
		rest = append(rest, t.Open[:i]...)
		if g.From < seq {
			rest = append(rest, Gap{g.From, seq - 1})
		}
		if seq < g.To {
			rest = append(rest, Gap{seq + 1, g.To})
		}
		t.Open = append(rest, t.Open[i+1:]...)
		t.Missing--
		return true
	}
	return false
}

// takeClock notes how long a live reading took by the device's own clock.
func (t *Trust) takeClock(r *ingest.Reading) {
	said := r.FixTime
	if !r.SentAt.IsZero() {
		said = r.SentAt
	}
	if r.TimeAssumed || r.Lateness == ingest.Backfill && r.SentAt.IsZero() {
		return
	}
	d := r.ReceivedAt.Sub(said)
	w := &t.Skews[1]
	if w.N == skewReadings {
		t.Skews[0], t.Skews[1] = t.Skews[1], SkewWindow{}
	}
	if w.N == 0 || d < w.Least {
		w.Least = d
	}
	w.N++
}

// Skew estimates how far the device's clock is ahead of ours (negative:
// behind): the least delay seen cannot be less than nothing, so what is below
// that is the clock's; what is above may also be the way here. ok is false
// before anything can be said.
func (t *Trust) Skew() (ahead time.Duration, ok bool) {
	a, b := t.Skews[0], t.Skews[1]
	switch {
	case a.N == 0 && b.N == 0:
		return 0, false
	case a.N == 0 || b.N > 0 && b.Least < a.Least:
		return -b.Least, true
	}
	return -a.Least, true
}
