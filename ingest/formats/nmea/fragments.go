package nmea

import (
	"fmt"
	"strings"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// thread is what the fragments of one message have in common. Message numbers
// are short and each sender counts its own, so it says whose they are.
type thread struct {
	id, channel, total string
	topic, sender      string
}

// fragments are the parts of one message that came so far.
type fragments struct {
	thread
	station, group string // of the TAG block; empty when none of them says it
	parts          []string
	lines          []string // as they came
	have           int
	fill           int
	at             time.Time
	first          time.Time // when the first of them came
}

const (
	// joinWithin is how long the parts of one message may be apart.
	joinWithin = 5 * time.Second
	maxOpen    = 1024
)

// joiner keeps fragments until their message is whole, or given up.
type joiner struct {
	open []*fragments
	lost []ingest.Item // what was given up since somebody was told
}

// join keeps a fragment; it returns all of them once they are complete.
func (j *joiner) join(t thread, s sentence, line string, received time.Time, total, number, fill int) *fragments {
	p := j.find(t, s, number, received)
	switch {
	case p != nil && p.parts[number-1] == s.fields[5]:
		return nil // it came twice
	case p != nil && p.parts[number-1] != "":
		j.giveUp(p, "another message with its number began")
		p = nil
	}
	if p == nil {
		if len(j.open) >= maxOpen {
			j.giveUp(j.open[0], fmt.Sprintf("%d messages were open at once", maxOpen))
		}
		p = &fragments{thread: t, parts: make([]string, total), lines: make([]string, total), first: received}
		j.open = append(j.open, p)
	}
	p.parts[number-1], p.lines[number-1] = s.fields[5], line
	p.have++
	if s.station != "" {
		p.station = s.station
	}
	if s.group != "" {
		p.group = s.group
	}
	if !s.at.IsZero() && p.at.IsZero() {
		p.at = s.at
	}
	if number == total {
		p.fill = fill
	}
	if p.have < total {
		return nil
	}
	j.forget(p)
	return p
}

// find looks for what a fragment belongs to: the open message of its thread
// whose TAG block says the same. What a line leaves unsaid contradicts nothing,
// for often only the first line of a group names its station; but then the
// message must want this part.
func (j *joiner) find(t thread, s sentence, number int, received time.Time) (likely *fragments) {
	for _, p := range j.open {
		switch {
		case p.thread != t || received.Sub(p.first).Abs() > joinWithin: // a replay's time is not now
		case p.station == s.station && p.group == s.group:
			return p
		case agree(p.station, s.station) && agree(p.group, s.group) && p.parts[number-1] == "" && likely == nil:
			likely = p
		}
	}
	return likely
}

func agree(a, b string) bool { return a == b || a == "" || b == "" }

func (j *joiner) forget(p *fragments) {
	for i := range j.open {
		if j.open[i] == p {
			j.open = append(j.open[:i], j.open[i+1:]...)
			return
		}
	}
}

// giveUp makes a refusal of parts whose message will not be complete.
func (j *joiner) giveUp(p *fragments, why string) {
	j.forget(p)
	from := ""
	for _, said := range []string{p.station, p.sender} {
		if said != "" {
			from += " from " + said
		}
	}
	var lines []string
	for _, l := range p.lines {
		if l != "" {
			lines = append(lines, l)
		}
	}
	j.lost = append(j.lost, ingest.Item{Raw: []byte(strings.Join(lines, "\n")), Refusal: object.Refuse("fragment_missing",
		"of a message in %s parts%.120s only %d came: %s", p.total, from, p.have, why)})
}

// sweep gives up what waited too long.
func (j *joiner) sweep(now time.Time) {
	for i := len(j.open) - 1; i >= 0; i-- {
		if p := j.open[i]; now.Sub(p.first) > joinWithin {
			j.giveUp(p, fmt.Sprintf("the rest did not come within %s", joinWithin))
		}
	}
}
