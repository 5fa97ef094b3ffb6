package latest

import (
	"slices"
	"time"
)

// Flow says how data comes in: how much, and how long it takes from the
// measurement until it is stored and known here.
type Flow struct {
	// PerSecond is the mean over the last ten seconds.
	PerSecond float64
	// Total counts since the program started.
	Total int64
	// DelayP50 and DelayP99 are over the last Samples live readings that
	// carry their own fix time, at most a minute old.
	DelayP50, DelayP99 time.Duration
	Samples            int
}

// Flow returns the figures of now.
func (t *Tracker) Flow(now time.Time) Flow {
	t.mu.RLock()
	defer t.mu.RUnlock()
	f := Flow{PerSecond: t.rate.mean(now), Total: t.total}
	f.DelayP50, f.DelayP99, f.Samples = t.delays.quantiles()
	return f
}

// delays is a ring of the newest delays.
type delays struct {
	ring [2048]time.Duration
	n    int
}

func (d *delays) add(x time.Duration) {
	d.ring[d.n%len(d.ring)] = max(x, 0) // a clock ahead of ours is no negative delay
	d.n++
}

func (d *delays) quantiles() (p50, p99 time.Duration, n int) {
	n = min(d.n, len(d.ring))
	if n == 0 {
		return 0, 0, 0
	}
	s := slices.Clone(d.ring[:n])
	slices.Sort(s)
	return s[n/2], s[n*99/100], n
}

// rates counts by second over the last ten.
type rates struct {
	second [11]int64
	count  [11]int
}

func (r *rates) add(now time.Time, n int) {
	s := now.Unix()
	i := s % int64(len(r.second))
	if r.second[i] != s {
		r.second[i], r.count[i] = s, 0
	}
	r.count[i] += n
}

// mean is over the ten whole seconds before now.
func (r *rates) mean(now time.Time) float64 {
	s, sum := now.Unix(), 0
	for i, at := range r.second {
		if at < s && at >= s-10 {
			sum += r.count[i]
		}
	}
	return float64(sum) / 10
}
