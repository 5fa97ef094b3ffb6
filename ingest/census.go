package ingest

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"haidang/devices"
)

// SourceCount is what came by one way since the program began.
type SourceCount struct {
	// Name is the format's, or "native" for our own.
	Name string
	// Via is how it came: "mqtt", "http", "file", "line".
	Via                                         string
	Messages                                    int64
	Stored, Duplicates, Late, Backfill, Refused int64 // readings and events
	Last                                        time.Time
	// PerMinute is how many readings and events came in the last whole minute.
	PerMinute int64
	Devices   []devices.ID // that spoke by it
}

// census counts by source.
type census struct {
	mu      sync.Mutex
	sources map[sourceKey]*tally
}

type sourceKey struct{ name, via string }

type tally struct {
	SourceCount
	minute          int64
	now, lastMinute int64
	devices         map[devices.ID]struct{}
}

// maxCensus bounds how many devices are remembered by source.
const maxCensus = 200_000

func newCensus() *census { return &census{sources: map[sourceKey]*tally{}} }

// take counts a batch that came to its end; parts of one message count it once.
func (c *census) take(batch []part, stored []bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var key sourceKey
	var t *tally
	for _, b := range batch {
		k := sourceKey{"native", b.w.Source}
		if b.w.Format != nil {
			k.name = b.w.Format.Name
		}
		if t == nil || k != key {
			key = k
			if t = c.sources[k]; t == nil {
				t = &tally{SourceCount: SourceCount{Name: k.name, Via: k.via}, devices: map[devices.ID]struct{}{}}
				c.sources[k] = t
			}
			t.roll(now)
		}
		if b.w.left == len(b.elements) { // its last part
			t.Messages++
		}
		t.Last = now
		for i := range b.elements {
			e := &b.elements[i]
			if e.refusal != nil {
				t.Refused++
				continue
			}
			t.now++
			if !stored[0] {
				t.Duplicates++
			} else {
				t.Stored++
				t.lateness(e)
			}
			stored = stored[1:]
			if _, known := t.devices[e.id]; !known && len(t.devices) < maxCensus {
				t.devices[e.id] = struct{}{}
			}
		}
	}
}

func (t *tally) lateness(e *element) {
	l := LiveNow
	if e.reading != nil {
		l = e.reading.Lateness
	} else if e.event != nil {
		l = e.event.Lateness
	}
	switch l {
	case LateArrival:
		t.Late++
	case Backfill:
		t.Backfill++
	}
}

// roll begins a new minute when it is time.
func (t *tally) roll(now time.Time) {
	switch m := now.Unix() / 60; {
	case m == t.minute:
	case m == t.minute+1:
		t.minute, t.lastMinute, t.now = m, t.now, 0
	default:
		t.minute, t.lastMinute, t.now = m, 0, 0
	}
}

// Sources says what came by each way, by name.
func (p *Pipeline) Sources(now time.Time) []SourceCount {
	p.census.mu.Lock()
	defer p.census.mu.Unlock()
	var list []SourceCount
	for _, t := range p.census.sources {
		t.roll(now)
		s := t.SourceCount
		s.PerMinute = t.lastMinute
		for id := range t.devices {
			s.Devices = append(s.Devices, id)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b SourceCount) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Via, b.Via))
	})
	return list
}
