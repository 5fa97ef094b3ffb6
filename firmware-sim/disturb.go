package firmwaresim

import "time"

// keepAtMost bounds what a device without network keeps, as a real one's
// flash would: 1,000 readings are 83 days of a vessel.
const keepAtMost = 1000

// disturb lets at most one fault have the reading, and gives what is said now.
func (st *Stream) disturb(at, since time.Duration, u *unit, s sample, fix time.Time) (Message, bool) {
	payload := u.encode(s, fix)
	if u.out {
		u.keep(u.says(at, Publish, "readings", payload))
		return Message{}, false
	}
	if u.held != nil { // the one that was held goes right behind this one
		st.say(at, u, *u.held)
		u.held = nil
		return u.says(at, Publish, "readings", payload), true
	}
	f := st.struck(since, u)
	if f == nil {
		return u.says(at, Publish, "readings", payload), true
	}
	switch f.Kind {
	case FaultDropout:
		u.out, u.lose = true, f.Lose
		u.keep(u.says(at, Publish, "readings", payload))
		st.plan(at+st.real(f.For), task{do: taskRestore, unit: u.index})
		return u.says(at, Drop, "", nil), true
	case FaultLate:
		st.say(at+st.real(f.For), u, payload)
		return Message{}, false
	case FaultDuplicate:
		st.say(at+time.Duration(u.rand.Float64()*float64(2*time.Second)), u, payload)
	case FaultReorder:
		u.held = &payload
		return Message{}, false
	case FaultGarbage:
		payload = garbage(u.rand, payload)
	case FaultBurst:
		// A backlog of the minutes before: one reading for each second.
		for i := range f.Count {
			st.say(at, u, u.encode(s, fix.Add(-time.Duration(f.Count-i)*time.Second)))
		}
	}
	return u.says(at, Publish, "readings", payload), true
}

// struck gives the first fault that strikes this reading.
func (st *Stream) struck(since time.Duration, u *unit) *Fault {
	for i := range st.scenario.Faults {
		f := &st.scenario.Faults[i]
		if f.Kind != FaultSkew && f.strikes(&u.Device, since) && u.rand.Float64() < f.Probability {
			return f
		}
	}
	return nil
}

func (st *Stream) say(at time.Duration, u *unit, payload []byte) {
	st.plan(at, task{do: taskSay, unit: u.index, message: u.says(at, Publish, "readings", payload)})
}

// keep puts a message where it waits for the network.
func (u *unit) keep(m Message) {
	if !u.lose && len(u.kept) < keepAtMost {
		u.kept = append(u.kept, m)
	}
}
