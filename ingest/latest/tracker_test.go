package latest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/journal"
)

var t0 = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func reading(fix, received int, x float64) ingest.Entry {
	return ingest.Entry{Pos: ingest.Pos(received + 1000), Reading: &ingest.Reading{Device: "a", Values: []ingest.Value{{Metric: "pm25", Number: x}},
		FixTime: t0.Add(time.Duration(fix) * time.Minute), ReceivedAt: t0.Add(time.Duration(received) * time.Minute),
		Position: &devices.Position{Lat: 17, Lon: 106 + x/1000}}}
}

func pm25(t *testing.T, tr *Tracker) float64 {
	t.Helper()
	s, ok := tr.Get("a")
	if !ok {
		t.Fatal("the device is not known")
	}
	return s.Values["pm25"].Number
}

func TestLateReadingNeverOverwritesANewerValue(t *testing.T) {
	tr := New()
	tr.apply([]ingest.Entry{reading(10, 10, 1), reading(5, 11, 2)}, t0)
	if x := pm25(t, tr); x != 1 {
		t.Errorf("the late value %g is shown", x)
	}
	s, _ := tr.Get("a")
	if !s.LastSeen.Equal(t0.Add(11*time.Minute)) || !s.LastFix.FixTime.Equal(t0.Add(10*time.Minute)) || s.Position.Lon != 106.001 || len(s.Tail) != 0 {
		t.Errorf("after a late reading: %+v", s)
	}
}

func TestClockAheadDoesNotHideWhatFollows(t *testing.T) {
	tr := New()
	tr.apply([]ingest.Entry{reading(8, 0, 1)}, t0) // eight minutes ahead
	tr.apply([]ingest.Entry{reading(1, 1, 2)}, t0) // set right
	if x := pm25(t, tr); x != 2 {
		t.Errorf("shown is %g, of a clock that was ahead", x)
	}
}

func TestSnapshotGoesOnWhereItWasMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latest.gob")
	tr := New()
	tr.apply([]ingest.Entry{reading(0, 0, 1), reading(5, 5, 2)}, t0)
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	again := New()
	if err := again.Load(path); err != nil {
		t.Fatal(err)
	}
	s, _ := again.Get("a")
	if again.pos != 1005 || s.Values["pm25"].Number != 2 || len(s.Tail) != 1 {
		t.Errorf("after loading: at %d, %+v", again.pos, s)
	}
	again.apply([]ingest.Entry{reading(3, 6, 9)}, t0)
	if x := pm25(t, again); x != 2 {
		t.Errorf("a late value overwrote one of the snapshot: %g", x)
	}
}

// Without its snapshot, and after the journal's log was cut, a tracker still
// knows the newest of each device.
func TestTrackerBeginsAnewFromTheShelves(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	j, err := journal.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	old := reading(-60*24*60, 0, 7)
	old.Reading.Device = "b"
	if _, err := j.Append(ctx, []ingest.Entry{old, reading(1, 1, 1), reading(9, 9, 2), reading(5, 10, 3)}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Settle(ctx), j.Cut(ctx), j.Close()); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(ctx, dir); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	tr := New()
	done := make(chan error, 1)
	go func() { done <- tr.Run(ctx, j) }()
	if _, err := j.Append(ctx, []ingest.Entry{reading(20, 20, 4)}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); tr.Pos() != j.Head(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is at %d, the journal at %d", tr.Pos(), j.Head())
		}
	}
	if x := pm25(t, tr); x != 4 {
		t.Errorf("pm25 is %g", x)
	}
	if s, ok := tr.Get("b"); !ok || s.Values["pm25"].Number != 7 || !s.LastSeen.Equal(t0) {
		t.Errorf("of the device that was silent for long it knows %+v", s)
	}
	cancel()
	<-done
}
