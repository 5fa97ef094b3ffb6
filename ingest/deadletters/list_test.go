package deadletters

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// read is how many bytes this process has read from files so far.
func read(t *testing.T) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("what is read can be counted on Linux only")
	}
	if _, err := fmt.Sscanf(string(b), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A list of the longest letters neither holds nor reads their payloads, and says
// what it leaves out.
func TestListReadsOnlyTheHeads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.db")
	s := open(t, path)
	long := bytes.Repeat([]byte("0123456789abcdef"), ingest.MaxForeign/16)
	for range 3 {
		add(t, s, ingest.DeadLetter{Payload: long, Device: "a"})
	}
	add(t, s, ingest.DeadLetter{Payload: long[:HeadBytes]}, ingest.DeadLetter{Payload: long[:HeadBytes+1]}, ingest.DeadLetter{})
	s.Close()
	before := read(t)
	s = open(t, path)
	ls, _, err := s.List(t.Context(), Filter{})
	if err != nil || len(ls) != 6 {
		t.Fatalf("%d letters, %v", len(ls), err)
	}
	if n := read(t) - before; n > len(long)/4 {
		t.Errorf("to open and list 3 letters of %d bytes, %d bytes were read", len(long), n)
	}
	for i, kept := range []int{0, HeadBytes + 1, HeadBytes, len(long)} {
		if l := ls[i]; !bytes.Equal(l.Payload, long[:min(kept, HeadBytes)]) || l.Kept != kept || l.Size != kept {
			t.Errorf("letter %d of %d bytes comes with %d, kept %d, size %d", l.ID, kept, len(l.Payload), l.Kept, l.Size)
		}
		if l, err := s.Get(t.Context(), ls[i].ID); err != nil || !bytes.Equal(l.Payload, long[:kept]) {
			t.Errorf("letter %d of %d bytes is got with %d, %v", l.ID, kept, len(l.Payload), err)
		}
	}
}

// All gives what Get gives, page after page, and leaves out what went meanwhile.
func TestAllGivesWholeLetters(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dead.db"))
	long := bytes.Repeat([]byte("x"), 3*HeadBytes)
	for i := range 2*page + 3 {
		add(t, s, ingest.DeadLetter{Payload: append(long, byte(i)), Code: "a"}, ingest.DeadLetter{Code: "b"})
	}
	n, last := 0, int64(1<<62)
	for l, err := range s.All(t.Context(), Filter{Code: "a"}) {
		if err != nil || len(l.Payload) != len(long)+1 || l.ID >= last {
			t.Fatalf("letter %d after %d has %d bytes, %v", l.ID, last, len(l.Payload), err)
		}
		if n, last = n+1, l.ID; n == 2 { // another that the page at hand still names goes
			if _, err := s.db.ExecContext(t.Context(), `DELETE FROM dead_letter WHERE id = ?`, l.ID-2); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 2*page+2 {
		t.Errorf("%d letters, want %d", n, 2*page+2)
	}
	for range s.All(t.Context(), Filter{}) {
		break // a reader that has enough stops it
	}
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
