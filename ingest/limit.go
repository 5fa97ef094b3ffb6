package ingest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"haidang/devices"
)

// Limit is at most N messages in each stretch of Per.
type Limit struct {
	N   int
	Per time.Duration
}

// ParseLimits reads pairs of a number and seconds, "200:1,6000:60": at most
// 200 in a second and 6,000 in a minute. Empty means no limit.
func ParseLimits(s string) ([]Limit, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var ls []Limit
	for pair := range strings.SplitSeq(s, ",") {
		n, per, ok := strings.Cut(strings.TrimSpace(pair), ":")
		count, err1 := strconv.Atoi(n)
		seconds, err2 := strconv.Atoi(per)
		if !ok || err1 != nil || err2 != nil || count < 1 || seconds < 1 || seconds > 86400 {
			return nil, fmt.Errorf("%.40q is no limit; write pairs of a number and seconds, such as 200:1,6000:60", s)
		}
		ls = append(ls, Limit{count, time.Duration(seconds) * time.Second})
	}
	if len(ls) > maxLimits {
		return nil, fmt.Errorf("at most %d limits can be given", maxLimits)
	}
	return ls, nil
}

const maxLimits = 4

// limiter counts each device's live messages: its own, and in foreign formats the
// readings and events of it. What is beyond the limit is not
// dropped, for it may be acknowledged already: it loses its place among what
// is live, and goes the way of backfill.
type limiter struct {
	limits []Limit
	mu     sync.Mutex
	counts map[devices.ID]*[maxLimits]count
}

type count struct {
	window int64
	n      int
}

func newLimiter(ls []Limit) *limiter {
	return &limiter{limits: ls, counts: map[devices.ID]*[maxLimits]count{}}
}

// exceeded counts one message at now and returns the limit that it is beyond;
// first says that it is the first beyond it in this stretch of time.
func (l *limiter) exceeded(id devices.ID, now time.Time) (beyond *Limit, first bool) {
	if len(l.limits) == 0 {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts[id]
	if c == nil {
		c = new([maxLimits]count)
		l.counts[id] = c
	}
	for i := range l.limits {
		window := now.UnixNano() / int64(l.limits[i].Per)
		if c[i].window != window {
			c[i] = count{window: window}
		}
		if c[i].n++; c[i].n > l.limits[i].N && beyond == nil {
			beyond, first = &l.limits[i], c[i].n == l.limits[i].N+1
		}
	}
	return beyond, first
}

// slowDown counts a device's own message and says whether it is to wait behind
// others, because the device floods; it tells the device so.
func (p *Pipeline) slowDown(w *work) bool {
	return w.device != nil && p.floods(w, w.id)
}

// partFlood parts a live message of a foreign format, in which a gateway may send
// for many devices: each reading or event counts for its own, and those of a
// device that floods are to wait behind others. The message comes to its end when
// both parts have; either is nil when it would be empty.
func (p *Pipeline) partFlood(w *work) (live, flood *work) {
	if len(p.limiter.limits) == 0 {
		return w, nil
	}
	var over []element
	keep := w.elements[:0]
	for _, e := range w.elements {
		if e.device != nil && e.lateness() == LiveNow && p.floods(w, e.id) {
			over = append(over, e)
		} else {
			keep = append(keep, e)
		}
	}
	switch {
	case len(over) == 0:
		return w, nil
	case len(keep) == 0:
		return nil, w
	}
	clear(w.elements[len(keep):])
	w.elements = keep
	flood = &work{Message: w.Message, route: w.route, elements: over, isRest: true}
	if w.Done != nil {
		both := &ending{left: 2, done: w.Done}
		w.Done, flood.Done = both.add, both.add
	}
	return w, flood
}

// ending joins the ends of a message's parts. All come from the goroutine that
// commits.
type ending struct {
	left    int
	outcome Outcome
	done    func(Outcome)
}

func (e *ending) add(o Outcome) {
	e.outcome.Stored += o.Stored
	e.outcome.Duplicates += o.Duplicates
	e.outcome.DeadLetters = append(e.outcome.DeadLetters, o.DeadLetters...)
	if e.left--; e.left == 0 {
		e.done(e.outcome)
	}
}

// floods counts something live of a device and says whether it is beyond its
// limit, which is told once in each stretch of time.
func (p *Pipeline) floods(w *work, id devices.ID) bool {
	beyond, first := p.limiter.exceeded(id, w.ReceivedAt)
	if beyond == nil {
		return false
	}
	p.metrics.limited.Inc()
	if first {
		p.Log.Warn("a device floods; its messages wait behind those of others", "component", "ingest", "device_id", id, "limit", beyond.N, "per", beyond.Per)
		if p.Tell != nil {
			p.Tell(DeadLetter{ReceivedAt: w.ReceivedAt.UTC(), Source: w.Source, Topic: w.Topic, Device: id, Stage: StageValidate, Code: "rate_limited",
				Message: fmt.Sprintf("device %s sends more than %d messages in %s; they are kept, but come after those of other devices", id, beyond.N, beyond.Per)})
		}
	}
	return true
}
