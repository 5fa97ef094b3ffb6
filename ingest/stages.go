package ingest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// identify finds the device that a topic names.
func (p *Pipeline) identify(w *work) *Refusal {
	if w.id == "" || w.route == routeOurs {
		return nil
	}
	dev, ok := p.Registry.Get(w.id)
	if !ok {
		if !p.RegisterUnknown {
			return &Refusal{StageIdentify, "device_unknown", fmt.Sprintf("device %s is not registered; register it, or set unknown_devices = \"register\"", w.id)}
		}
		var err error
		if dev, err = p.Registry.Discover(context.Background(), w.id); err != nil {
			p.Log.Error("register unknown device", "device_id", w.id, "error", err)
			return &Refusal{StageIdentify, "device_unknown", fmt.Sprintf("device %s is not registered and registering it did not succeed", w.id)}
		}
	}
	w.device, w.id = dev, dev.ID // the registry's spelling
	w.typ, _ = p.Registry.Type(dev.Type)
	return nil
}

// decode reads the payload. A device's state is taken here and has no elements.
func (p *Pipeline) decode(w *work) *Refusal {
	switch w.route {
	case routeReadings:
		w.elements = decodeNative(w.Payload, decodeReading)
	case routeEvents:
		w.elements = decodeNative(w.Payload, decodeEvent)
	case routeState:
		switch s := strings.ToLower(strings.TrimSpace(string(w.Payload[:min(len(w.Payload), 32)]))); s {
		case "online", "offline":
			if p.State != nil {
				p.State(w.id, s == "online", w.ReceivedAt)
			}
		default:
			return refuse("state_unknown", "a device's state is online or offline, not %.40q", s)
		}
	}
	return nil
}

// validate completes each element and checks what it says against the clock,
// the region and the type's ranges.
func (p *Pipeline) validate(w *work) *Refusal {
	received := w.ReceivedAt.UTC().Truncate(1e6)
	for i := range w.elements {
		e := &w.elements[i]
		switch {
		case e.refusal != nil:
		case e.reading != nil:
			r := e.reading
			r.Device, r.ReceivedAt = w.id, received
			if r.FixTime.IsZero() {
				r.FixTime, r.TimeAssumed = received, true
			}
			r.Lateness = p.Bounds.lateness(r.FixTime, received)
			if e.refusal = p.Bounds.checkTime(r.FixTime, received); e.refusal == nil {
				e.refusal = p.Bounds.checkPosition(r.Position)
			}
			p.judgeRanges(w, r)
		case e.event != nil:
			ev := e.event
			ev.Device, ev.ReceivedAt = w.id, received
			if ev.FixTime.IsZero() {
				ev.FixTime, ev.TimeAssumed = received, true
			}
			ev.Lateness = p.Bounds.lateness(ev.FixTime, received)
			if e.refusal = p.Bounds.checkTime(ev.FixTime, received); e.refusal == nil {
				e.refusal = p.Bounds.checkPosition(ev.Position)
			}
		}
	}
	return nil
}

// judgeRanges marks values that the sensor cannot have measured.
func (p *Pipeline) judgeRanges(w *work, r *Reading) {
	if w.typ == nil {
		return
	}
	for i := range r.Values {
		v := &r.Values[i]
		m := w.typ.Metric(v.Metric)
		if m != nil && v.Quality == Good && m.Min < m.Max && (v.Number < m.Min || v.Number > m.Max) {
			v.Quality = OutOfRange
		}
	}
}

// Decode runs the stages on a payload without keeping anything, and returns
// what it would become.
func (p *Pipeline) Decode(topic string, payload []byte) (readings []Reading, events []Event, refusals []*Refusal) {
	w := &work{Message: Message{Source: "check", Topic: topic, Payload: payload, ReceivedAt: time.Now()}}
	for _, s := range p.stages {
		if r := s.run(w); r != nil {
			return nil, nil, []*Refusal{r}
		}
	}
	for _, e := range w.elements {
		switch {
		case e.refusal != nil:
			refusals = append(refusals, e.refusal)
		case e.reading != nil:
			readings = append(readings, *e.reading)
		case e.event != nil:
			events = append(events, *e.event)
		}
	}
	return readings, events, refusals
}
