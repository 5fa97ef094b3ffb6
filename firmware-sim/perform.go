package firmwaresim

import (
	"math"
	"time"
)

// firstWord is within which time after switching on a device sends a first
// reading; real ones do not wait a whole interval either.
const firstWord = 2 * time.Second

// perform does one task and plans what follows from it.
func (st *Stream) perform(t task) (Message, bool) {
	if t.do == taskSay {
		if u := st.units[t.unit]; u.out {
			u.keep(t.message)
			return Message{}, false
		}
		t.message.At = t.at
		return t.message, true
	}
	if t.do == taskReport {
		st.plan(st.nextReport(t.at), task{do: taskReport})
		return Message{At: t.at, Kind: Post, Device: -1, Topic: ReportsPath, Payload: encode(newReport(st.citizens))}, true
	}
	u := st.units[t.unit]
	switch t.do {
	case taskConnect:
		st.plan(t.at+time.Duration(u.rand.Float64()*float64(firstWord)), task{do: taskSample, unit: t.unit})
		return u.says(t.at, Connect, "", nil), true
	case taskRestore:
		u.out = false
		for _, m := range u.kept {
			st.plan(t.at, task{do: taskSay, unit: t.unit, message: m})
		}
		u.kept = nil
		return u.says(t.at, Restore, "", nil), true
	default:
		return st.measure(t.at, u)
	}
}

// measure takes one sample, plans the next, and lets the faults have it.
func (st *Stream) measure(at time.Duration, u *unit) (Message, bool) {
	interval := st.real(u.Interval)
	next := interval
	if !u.announced {
		// After the first word each device keeps to a phase of its own, so
		// that a fleet does not speak in chorus.
		next = time.Duration(u.rand.Float64() * float64(interval))
		u.announced = true
	}
	st.plan(at+max(next, time.Millisecond), task{do: taskSample, unit: u.index})

	since := st.since(at)
	s := u.model.sample(st.virtual.Add(since), u.rand)
	for _, e := range st.scenario.Episodes {
		if v, ok := s.values[e.Metric]; ok && e.Device == u.ID {
			s.values[e.Metric] = round(v+e.lift(since), 1)
		}
	}
	fix := st.opts.Start.Add(at + u.skew)
	for _, h := range s.happened {
		if !u.out {
			payload := encode(event{TS: stamp(fix), Type: h.kind, Severity: h.severity, Lat: u.Lat, Lon: u.Lon, Data: h.data})
			st.plan(at, task{do: taskSay, unit: u.index, message: u.says(at, Publish, "events", payload)})
		}
	}
	return st.disturb(at, since, u, s, fix)
}

// encode writes the reading of a sample at a fix time.
func (u *unit) encode(s sample, fix time.Time) []byte {
	u.seq++
	r := reading{TS: stamp(fix), Seq: u.seq, Values: s.values}
	if s.at != nil {
		r.Lat, r.Lon = &s.at.lat, &s.at.lon
	}
	return encode(r)
}

func (u *unit) says(at time.Duration, kind Kind, leaf string, payload []byte) Message {
	m := Message{At: at, Kind: kind, Device: u.index, ID: u.ID, Payload: payload}
	if leaf != "" {
		m.Topic = u.Topic(leaf)
	}
	return m
}

// lift is how much the episode adds at a virtual time since the start.
func (e Episode) lift(since time.Duration) float64 {
	t := since - e.Start
	if t < 0 {
		return 0
	}
	if e.Every > 0 {
		t = time.Duration(math.Mod(float64(t), float64(e.Every)))
	}
	switch {
	case t < e.Rise:
		return e.Add * float64(t) / float64(e.Rise)
	case t < e.Rise+e.Hold:
		return e.Add
	case t < e.Rise+e.Hold+e.Fall:
		return e.Add * (1 - float64(t-e.Rise-e.Hold)/float64(e.Fall))
	}
	return 0
}
