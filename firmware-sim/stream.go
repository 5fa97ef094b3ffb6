package firmwaresim

import (
	"container/heap"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Stream is everything that happens in a run, in order, without end. It is a
// pure function of the scenario and the StreamOptions: no clock, no network.
type Stream struct {
	scenario *Scenario
	opts     StreamOptions
	fleet    []Device
	units    []*unit
	citizens *rand.Rand
	virtual  time.Time // the virtual clock at the start
	agenda   agenda
	order    int64
}

// StreamOptions say which stream of a scenario it is.
type StreamOptions struct {
	Devices    int     // 0 is the scenario's own
	TimeFactor float64 // below or at 0 is 1
	Seed       uint64
	Start      time.Time // real time of the start; fix times are counted from it
}

// unit is a device at work.
type unit struct {
	Device
	index     int
	model     model
	rand      *rand.Rand
	seq       int64
	skew      time.Duration
	out       bool      // a dropout is on
	lose      bool      // and its readings are not kept
	kept      []Message // what waits for the network
	held      *[]byte   // reading that waits for its successor
	announced bool      // said something since it was switched on
}

// NewStream begins a stream.
func NewStream(s *Scenario, opts StreamOptions) *Stream {
	if opts.TimeFactor <= 0 {
		opts.TimeFactor = 1
	}
	st := &Stream{scenario: s, opts: opts, fleet: s.Fleet(opts.Devices), virtual: s.dayStart(opts.Start)}
	st.citizens = st.chance("citizens")
	st.units = make([]*unit, len(st.fleet))
	for i, d := range st.fleet {
		r := st.chance(d.ID)
		u := &unit{Device: d, index: i, rand: r, model: newModel(d, st.virtual, r)}
		for _, f := range s.Faults {
			if f.Kind == FaultSkew && f.strikes(&d, f.From) && r.Float64() < f.Probability {
				u.skew = f.By
			}
		}
		st.units[i] = u
		st.plan(time.Duration(float64(i)/s.ConnectsPerSecond*float64(time.Second)), task{do: taskConnect, unit: i})
	}
	if s.Citizens.Every > 0 {
		st.plan(st.nextReport(0), task{do: taskReport})
	}
	return st
}

// Fleet gives the devices of the stream; Message.Device counts in it.
func (st *Stream) Fleet() []Device { return st.fleet }

// chance is a source of its own for each device, so that one device's
// accidents do not change another's measurements.
func (st *Stream) chance(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(st.opts.Seed, h.Sum64()))
}

// dayStart puts the virtual clock on the scenario's time of day.
func (s *Scenario) dayStart(start time.Time) time.Time {
	if s.DayStart == "" {
		return start
	}
	at, err := time.Parse("15:04", s.DayStart)
	if err != nil {
		return start // check refused it already
	}
	day := start.In(local)
	return time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), 0, 0, local)
}

// since gives the virtual time that has passed at a real offset.
func (st *Stream) since(at time.Duration) time.Duration {
	return time.Duration(float64(at) * st.opts.TimeFactor)
}

// real gives the real length of a virtual one.
func (st *Stream) real(virtual time.Duration) time.Duration {
	return max(time.Millisecond, time.Duration(float64(virtual)/st.opts.TimeFactor))
}

func (st *Stream) nextReport(after time.Duration) time.Duration {
	return after + st.real(time.Duration(st.citizens.ExpFloat64()*float64(st.scenario.Citizens.Every)))
}

func (st *Stream) plan(at time.Duration, t task) {
	st.order++
	t.at, t.order = at, st.order
	heap.Push(&st.agenda, t)
}

// Next gives the next message. A scenario has devices, and devices never end.
func (st *Stream) Next() Message {
	for {
		t := heap.Pop(&st.agenda).(task)
		if m, ok := st.perform(t); ok {
			return m
		}
	}
}
