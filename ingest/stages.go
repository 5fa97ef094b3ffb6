package ingest

import (
	"slices"
	"strings"
	"time"

	"haidang/devices"
)

// identify finds the device that a topic names.
func (p *Pipeline) identify(w *work) *Refusal {
	if w.id == "" || w.route == routeOurs {
		return nil
	}
	var r *Refusal
	w.id, w.device, w.typ, r = p.find(w.id, p.RegisterUnknown, false)
	return r
}

// decode reads the payload.
func (p *Pipeline) decode(w *work) *Refusal {
	switch w.route {
	case routeForeign:
		return p.decodeForeign(w)
	case routeReadings:
		w.elements = decodeNative(w.Payload, decodeReading)
	case routeEvents:
		w.elements = decodeNative(w.Payload, decodeEvent)
	case routeState:
		return p.decodeState(w)
	}
	return nil
}

// decodeState reads what a device, or its last will, says of its connection.
// Only a change is kept, as an event; a heartbeat is noted and has no elements.
func (p *Pipeline) decodeState(w *work) *Refusal {
	s := strings.ToLower(strings.TrimSpace(string(w.Payload[:min(len(w.Payload), 32)])))
	if s != "online" && s != "offline" {
		return refuse("state_unknown", "a device's state is online or offline, not %.40q", s)
	}
	if p.Connection == nil || p.Connection(w.id) != s {
		w.elements = []element{{event: ConnectionEvent(s), raw: w.Payload}}
	} else if s == "online" && !w.Retained && p.Heard != nil { // what a broker kept says nothing of now
		p.Heard(w.id, w.ReceivedAt)
	}
	return nil
}

// validate completes each element and checks what it says against the clock,
// the region and the type's ranges.
func (p *Pipeline) validate(w *work) *Refusal {
	received := w.ReceivedAt.UTC().Truncate(1e6)
	var alone []element // values that were refused without their reading
	for i := range w.elements {
		e := &w.elements[i]
		if e.id == "" {
			e.id, e.device, e.typ = w.id, w.device, w.typ
		}
		switch {
		case e.refusal != nil:
		case e.reading != nil:
			r := e.reading
			r.Device, r.ReceivedAt = e.id, received
			if e.refusal = p.Bounds.settle(&r.FixTime, &r.TimeAssumed, &r.TimeSuspect, received).at(e.where); e.refusal == nil {
				e.refusal = p.Bounds.checkPosition(r.Position).at(e.where)
			}
			if p.Bounds.checkTime(r.SentAt, received) != nil {
				r.SentAt = time.Time{} // it only tells about the way here
			}
			r.Lateness = p.Bounds.lateness(r.FixTime, received)
			alone = append(alone, e.toOwnUnits()...)
			p.metrics.countUnlisted(e)
			e.judgeRanges()
			if r.TimeSuspect {
				e.suspectTime()
			}
			r.fixSeq()
		case e.event != nil:
			ev := e.event
			ev.Device, ev.ReceivedAt = e.id, received
			e.refusal = p.Bounds.settle(&ev.FixTime, &ev.TimeAssumed, &ev.TimeSuspect, received).at(e.where)
			where := p.Bounds.checkPosition(ev.Position).at(e.where)
			switch {
			case ev.IsDistress():
				e.hearDistress(where)
			case e.refusal == nil:
				e.refusal = where
			}
			ev.Lateness = p.Bounds.lateness(ev.FixTime, received)
		}
	}
	w.elements = append(w.elements, alone...)
	return nil
}

// hearDistress lets no wrong clock and no wrong position silence a call for
// help: its time is then that of arrival, and a place outside the region stands
// if it is one on earth.
func (e *element) hearDistress(where *Refusal) {
	ev := e.event
	if e.refusal != nil {
		ev.FixTime, ev.TimeAssumed, e.refusal = ev.ReceivedAt, true, nil
	}
	if where != nil && where.Code == "position_invalid" {
		ev.Position = nil
	}
}

// toOwnUnits brings values into their metric's unit. One that cannot be is
// refused with its reading, for half a reading would look like a whole one;
// where values stand for themselves, it is refused alone, and returned.
func (e *element) toOwnUnits() (alone []element) {
	if e.refusal != nil || len(e.units) == 0 || e.typ == nil {
		return nil
	}
	kept := e.reading.Values[:0]
	for _, v := range e.reading.Values {
		if m := e.typ.Metric(v.Metric); m != nil {
			if from, named := e.units[v.Metric]; named {
				x, err := devices.Convert(v.Number, from, m.Unit)
				if err != nil {
					r := invalid("unit_wrong", "%s: %s", v.Metric, err)
					if i := slices.IndexFunc(e.parts, func(p Part) bool { return p.Metric == v.Metric }); i >= 0 {
						p := &e.parts[i]
						alone = append(alone, element{id: e.id, device: e.device, typ: e.typ, refusal: r.at(p.Where), raw: p.Raw})
						continue
					}
					e.refusal = r.at(e.where)
					return nil
				}
				v.Number = x
			}
		}
		kept = append(kept, v)
	}
	e.reading.Values = kept
	if len(kept) == 0 && len(alone) > 0 { // nothing is left of the reading
		e.refusal, e.raw, alone = alone[0].refusal, alone[0].raw, alone[1:]
	}
	return alone
}

// suspectTime marks values whose time cannot be right.
func (e *element) suspectTime() {
	for i := range e.reading.Values {
		if v := &e.reading.Values[i]; v.Quality == Good {
			v.Quality = SuspectTime
		}
	}
}

// judgeRanges marks values that the sensor cannot have measured.
func (e *element) judgeRanges() {
	if e.typ == nil {
		return
	}
	for i := range e.reading.Values {
		v := &e.reading.Values[i]
		m := e.typ.Metric(v.Metric)
		if m != nil && v.Quality == Good && m.Min < m.Max && (v.Number < m.Min || v.Number > m.Max) {
			v.Quality = OutOfRange
		}
	}
}
