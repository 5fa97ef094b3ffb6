package latest

import (
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
)

func hearing() *Tracker {
	tr := New()
	tr.Expect = func(id devices.ID) health.Expectation {
		if id == "camera" {
			return health.Expectation{Interval: time.Minute, Contract: devices.Event}
		}
		return health.Expectation{Interval: 5 * time.Minute}
	}
	return tr
}

func TestSilenceThatEndsIsAnOutageOnce(t *testing.T) {
	tr := hearing()
	speak := func(minutes ...int) {
		for _, m := range minutes {
			tr.apply([]ingest.Entry{reading(m, m, 1)}, t0)
		}
	}
	speak(0, 5, 10, 25) // 15 minutes are three intervals: late, not silent
	if os := tr.Outages(); len(os) != 0 {
		t.Fatalf("outages before any: %v", os)
	}
	speak(41)
	// The replay of what was measured meanwhile is no outage.
	for m := 26; m < 41; m += 5 {
		tr.apply([]ingest.Entry{reading(m, 41, 1)}, t0)
	}
	min := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	want := health.Outage{Device: "a", SeenAt: min(25), DueAt: min(30), BackAt: min(41)}
	if os := tr.Outages(); len(os) != 1 || os[0] != want {
		t.Fatalf("outages %v, want %v", os, want)
	}
	s, _ := tr.Get("a")
	if !s.Since.Equal(min(41)) {
		t.Errorf("without a silence since %s", s.Since)
	}
	path := filepath.Join(t.TempDir(), "latest.gob")
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	again := hearing()
	if err := again.Load(path); err != nil {
		t.Fatal(err)
	}
	if os := again.Outages(); len(os) != 1 || !os[0].BackAt.Equal(want.BackAt) {
		t.Errorf("after a restart the outages that wait are %v", os)
	}
	again.Forget(1)
	if os := again.Outages(); len(os) != 0 {
		t.Errorf("after they were kept: %v", os)
	}
	if s, _ := again.Get("a"); s.Rhythm.Taken != 4 {
		t.Errorf("the rhythm has %d gaps after a restart", s.Rhythm.Taken)
	}
}

// A device that always takes twenty minutes is not late for it, nor are its
// metrics; one that stops is.
func TestTimeoutIsLearned(t *testing.T) {
	tr := hearing()
	for m := 0; m <= 240; m += 20 {
		tr.apply([]ingest.Entry{reading(m, m, 1)}, t0)
	}
	if interval, learned := tr.Held("a", health.Expectation{}); interval != 20*time.Minute || !learned {
		t.Fatalf("it is held to %s (learned %t)", interval, learned)
	}
	last := t0.Add(240 * time.Minute)
	for after, want := range map[time.Duration]devices.Freshness{29 * time.Minute: devices.Live, 59 * time.Minute: devices.Late, 61 * time.Minute: devices.Silent} {
		if f := tr.Freshness(last.Add(after), "a", health.Expectation{}); f != want {
			t.Errorf("after %s it is %s, want %s", after, f, want)
		}
	}
	s, _ := tr.Get("a")
	r := s.Values["pm25"].Rhythm
	if typical, ok := r.Typical(); !ok || typical != 20*time.Minute {
		t.Errorf("its metric comes every %s", typical)
	}
}

// What speaks only when something happens is absent when its connection says so.
func TestAbsenceOfADeviceOfEventsIsThatOfItsConnection(t *testing.T) {
	tr := hearing()
	say := func(state string, minute int) {
		ev := ingest.ConnectionEvent(state)
		ev.Device, ev.ReceivedAt = "camera", t0.Add(time.Duration(minute)*time.Minute)
		tr.apply([]ingest.Entry{{Pos: 1, Event: ev}}, t0)
	}
	say("online", 0)
	say("offline", 600)
	say("online", 660)
	os := tr.Outages()
	if len(os) != 1 || os[0].BackAt.Sub(os[0].DueAt) != time.Hour {
		t.Errorf("outages %v", os)
	}
	var spoke []devices.ID
	tr.Spoke = func(id devices.ID) { spoke = append(spoke, id) }
	say("offline", 700)
	tr.Heard("camera", t0)
	say("online", 710)
	if len(spoke) != 2 {
		t.Errorf("it spoke %d times, want twice: a last will is not its own word", len(spoke))
	}
}
