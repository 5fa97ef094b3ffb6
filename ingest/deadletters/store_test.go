package deadletters

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

var t0 = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t *testing.T, s *Store, ls ...ingest.DeadLetter) {
	t.Helper()
	for i := range ls {
		ls[i].Status = "new"
		ls[i].Size = len(ls[i].Payload)
	}
	if err := s.Add(t.Context(), ls); err != nil {
		t.Fatal(err)
	}
}

func ids(t *testing.T, s *Store, f Filter) (got []int64) {
	t.Helper()
	ls, _, err := s.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		got = append(got, l.ID)
	}
	return got
}

func TestFilterFindsWhatIsMeant(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dead.db"))
	add(t, s,
		ingest.DeadLetter{ReceivedAt: t0, Device: "a", Stage: ingest.StageDecode, Code: "json_invalid", Version: "1", Payload: []byte("x")},
		ingest.DeadLetter{ReceivedAt: t0.Add(time.Hour), Device: "b", Stage: ingest.StageDecode, Code: "json_invalid", Format: "lorawan", Version: "1+2"},
		ingest.DeadLetter{ReceivedAt: t0.Add(2 * time.Hour), Device: "b", Stage: ingest.StageIdentify, Code: "device_unknown", Format: "lorawan", Version: "1+3", Sender: "gw"})
	for want, f := range map[string]Filter{
		"[3 2 1]": {},
		"[1]":     {Format: Native},
		"[3 2]":   {Format: "lorawan"},
		"[2]":     {Version: "1+2"},
		"[2 1]":   {Code: "json_invalid"},
		"[3]":     {Stage: ingest.StageIdentify, Device: "b"},
		"[]":      {Device: "c"},
		"[2 1] ":  {To: t0.Add(2 * time.Hour)},
		"[3] ":    {From: t0.Add(2 * time.Hour)},
		"[3 2] ":  {Limit: 2},
		"[1] ":    {Before: 2},
	} {
		if got := fmt.Sprint(ids(t, s, f)); got != want && got+" " != want {
			t.Errorf("%+v finds %s, want %s", f, got, want)
		}
	}
	l, err := s.Get(t.Context(), 3)
	if err != nil || l.Sender != "gw" || l.Version != "1+3" || !l.ReceivedAt.Equal(t0.Add(2*time.Hour)) {
		t.Errorf("the third is %+v, %v", l, err)
	}
	if _, err := s.Get(t.Context(), 99); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestDiscardCanBeUndone(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dead.db"))
	add(t, s, ingest.DeadLetter{Code: "a"}, ingest.DeadLetter{Code: "b"}, ingest.DeadLetter{Code: "a"})
	if err := s.MarkReplayed(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for step, want := range []int64{1, 0} { // the one that is new
		if n, err := s.Discard(t.Context(), Filter{Code: "a"}); n != want || err != nil {
			t.Errorf("discard %d: %d, %v", step, n, err)
		}
	}
	if n, err := s.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("%d are new, %v", n, err)
	}
	if n, err := s.Restore(t.Context(), Filter{}); n != 1 || err != nil {
		t.Errorf("restored %d, %v", n, err)
	}
	if got := fmt.Sprint(ids(t, s, Filter{Status: "new"})); got != "[3 2]" {
		t.Errorf("new are %s", got)
	}
}

// What is beyond the bounds goes, the oldest first, and is counted, also over a
// restart.
func TestOldestGoWhenThereIsNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.db")
	s := open(t, path)
	s.keep, s.keepBytes, s.atOnce = 10, 1000, 3
	for i := range 12 {
		add(t, s, ingest.DeadLetter{Code: fmt.Sprint(i), Payload: make([]byte, 50)})
	}
	if got := ids(t, s, Filter{}); len(got) != 9 || got[8] != 4 || s.Dropped() != 3 {
		t.Errorf("left are %v, %d went", got, s.Dropped())
	}
	add(t, s, ingest.DeadLetter{Payload: make([]byte, 800)}) // by bytes: 9×50+800
	if got := ids(t, s, Filter{}); len(got) != 4 || got[3] != 10 || s.Dropped() != 9 {
		t.Errorf("left are %v, %d went", got, s.Dropped())
	}
	s.Close()
	s = open(t, path)
	s.keep, s.keepBytes, s.atOnce = 10, 1000, 1
	add(t, s, ingest.DeadLetter{Payload: make([]byte, 100)})
	if got := ids(t, s, Filter{}); len(got) != 4 || s.Dropped() != 1 {
		t.Errorf("after a restart left are %v, %d went", got, s.Dropped())
	}
}
