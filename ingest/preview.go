package ingest

import (
	"time"

	"haidang/devices"
)

// Preview is what a part of a payload would become: exactly one of Reading,
// Event and Refusal, which would make a dead letter, is set.
type Preview struct {
	Device  devices.ID
	Reading *Reading
	Event   *Event
	Refusal *Refusal
}

// Preview runs the stages on a payload that came at a time, and keeps nothing;
// f is nil for the native form. A sound payload of which nothing is kept, such
// as a keep-alive, gives nothing.
func (p *Pipeline) Preview(f *Format, topic string, payload []byte, at time.Time) []Preview {
	w := &work{Message: Message{Source: "check", Format: f, Topic: topic, Payload: payload, ReceivedAt: at}}
	for _, s := range p.stages {
		if r := s.run(w); r != nil {
			return []Preview{{Device: w.id, Refusal: r}}
		}
	}
	views := make([]Preview, len(w.elements))
	for i, e := range w.elements {
		v := Preview{Device: e.id, Refusal: e.refusal}
		if e.refusal == nil {
			v.Reading, v.Event = e.reading, e.event
		}
		views[i] = v
	}
	return views
}

// Decode is Preview by kind, of a payload that comes now.
func (p *Pipeline) Decode(f *Format, topic string, payload []byte) (readings []Reading, events []Event, refusals []*Refusal) {
	for _, v := range p.Preview(f, topic, payload, time.Now()) {
		switch {
		case v.Refusal != nil:
			refusals = append(refusals, v.Refusal)
		case v.Reading != nil:
			readings = append(readings, *v.Reading)
		case v.Event != nil:
			events = append(events, *v.Event)
		}
	}
	return readings, events, refusals
}
