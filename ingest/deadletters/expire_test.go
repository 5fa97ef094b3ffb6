package deadletters

import (
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// What is older goes, whatever became of it, but for what is held; what room
// there is, is known after it without counting.
func TestOldLettersExpire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.db")
	s := open(t, path)
	var ls []ingest.DeadLetter
	for i := range 1200 {
		dev := devices.ID("a")
		if i == 700 {
			dev = "held"
		}
		ls = append(ls, ingest.DeadLetter{Device: dev, ReceivedAt: t0.Add(time.Duration(i) * time.Minute), Payload: []byte("1234567890")})
	}
	add(t, s, ls...)
	if _, err := s.Discard(t.Context(), Filter{To: t0.Add(10 * time.Minute)}, t0); err != nil {
		t.Fatal(err)
	}
	x := Expiry{Before: t0.Add(1100 * time.Minute), Held: func(d devices.ID, _ int64) bool { return d == "held" }}
	var would, did Expired
	sum := func(into *Expired) func(Expired) {
		return func(e Expired) { into.Letters += e.Letters; into.Bytes += e.Bytes; into.Newest = e.Newest }
	}
	if err := s.WouldExpire(t.Context(), x, sum(&would)); err != nil {
		t.Fatal(err)
	}
	steps := 0
	if err := s.Expire(t.Context(), x, func(e Expired) error { steps++; sum(&did)(e); return nil }); err != nil {
		t.Fatal(err)
	}
	if would != did || did.Letters != 1099 || did.Bytes != 10990 || steps != 3 {
		t.Errorf("said %+v, removed %+v in %d steps", would, did, steps)
	}
	held, bytes := s.held, s.bytes
	s.Close()
	if s = open(t, path); s.held != held || s.bytes != bytes || held != 101 {
		t.Errorf("%d letters of %d bytes, thought %d of %d", s.held, s.bytes, held, bytes)
	}
}
