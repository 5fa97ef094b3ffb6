package journal

import (
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

const aDay = 24 * time.Hour

// before is an expiry of some devices.
func before(cuts map[devices.ID]time.Time) Expiry {
	return Expiry{Before: func(d devices.ID) time.Time { return cuts[d] }}
}

func wouldExpire(t *testing.T, j *Journal, x Expiry) (n int64) {
	t.Helper()
	if err := j.WouldExpire(t.Context(), x, func(e Expired) { n += e.Entries }); err != nil {
		t.Fatal(err)
	}
	return n
}

func expire(t *testing.T, j *Journal, x Expiry) (n int64) {
	t.Helper()
	if err := j.Expire(t.Context(), x, func(e Expired) error { n += e.Entries; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func readingsOf(t *testing.T, j *Journal, dev devices.ID) []ingest.Reading {
	t.Helper()
	rs, _, err := j.Readings(t.Context(), ingest.ReadingsQuery{Device: dev, To: t0.Add(100 * aDay), Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// Each device has its own time; what goes is what was said before; an empty
// shelf's file goes too; what comes again after that is new, and the floor says
// that the time before is not whole.
func TestEachDeviceExpiresByItsOwnTime(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	for i := range int64(60) {
		at := t0.Add(-time.Duration(i) * aDay)
		appendAll(t, j, reading("a", at, i, 1), reading("b", at, i, 1))
	}
	settle(t, j)
	if err := j.Join(t.Context(), t0); err != nil {
		t.Fatal(err)
	}
	files, _ := listShelves(dir)
	x := before(map[devices.ID]time.Time{"a": t0.Add(-30 * aDay)})
	would := wouldExpire(t, j, x)
	if got := expire(t, j, x); got != would || got != 29 { // the 30th day before is not over
		t.Fatalf("removed %d, said %d before, want 29", got, would)
	}
	if n, m := len(readingsOf(t, j, "a")), len(readingsOf(t, j, "b")); n != 31 || m != 60 {
		t.Fatalf("left: %d of a, %d of b", n, m)
	}
	if wouldExpire(t, j, x) != 0 || expire(t, j, x) != 0 {
		t.Error("it goes twice")
	}
	if left, _ := listShelves(dir); len(left) != len(files) {
		t.Error("a shelf went with what b has on it")
	}
	expire(t, j, before(map[devices.ID]time.Time{"b": t0.Add(-30 * aDay)}))
	if left, _ := listShelves(dir); len(left) >= len(files) {
		t.Error("empty shelves stay")
	}
	j = reopen(t, j, dir)
	if f := j.Floor("a"); !f.Equal(t0.Add(-30 * aDay).Truncate(aDay)) {
		t.Errorf("the floor is %s", f)
	}
	if !j.Floor("c").IsZero() {
		t.Error("c has a floor")
	}
	if stored, err := j.Append(t.Context(), []ingest.Entry{reading("a", t0.Add(-50*aDay), 50, 1)}); err != nil || !stored[0] {
		t.Errorf("what was removed counts as there: %v, %v", stored, err)
	}
}

// What is held stays, day by day.
func TestWhatIsHeldDoesNotExpire(t *testing.T) {
	j := open(t, t.TempDir())
	for i := range int64(20) {
		appendAll(t, j, reading("a", t0.Add(-time.Duration(i)*aDay), i, 1))
	}
	settle(t, j)
	held := t0.Add(-10 * aDay).UnixMilli()
	x := before(map[devices.ID]time.Time{"a": t0.Add(aDay)})
	x.Held = func(_ devices.ID, first, last int64) bool { return first <= held && held <= last }
	if n := expire(t, j, x); n != 19 {
		t.Errorf("%d went, want 19", n)
	}
	if rs := readingsOf(t, j, "a"); len(rs) != 1 || rs[0].Seq != 10 {
		t.Errorf("left: %+v", rs)
	}
}

// While it goes, entries are taken and found, and joining waits for a step at
// most: more runs than go at once.
func TestExpireGoesByStepsBesideAppends(t *testing.T) {
	j := open(t, t.TempDir())
	for i := range int64(3) {
		es := make([]ingest.Entry, 0, 250)
		for k := range int64(250) { // each day a run of its own
			es = append(es, reading("a", t0.Add(-time.Duration(k)*aDay).Add(time.Duration(i)*time.Minute), i*250+k, 1))
		}
		appendAll(t, j, es...)
		settle(t, j)
	}
	steps := 0
	err := j.Expire(t.Context(), before(map[devices.ID]time.Time{"a": t0.Add(aDay)}), func(e Expired) error {
		steps++
		settle(t, j)
		appendAll(t, j, reading("b", t0.Add(time.Duration(steps)*time.Second), int64(steps), 1))
		return nil
	})
	if err != nil || steps < 3 {
		t.Fatalf("%d steps: %v", steps, err)
	}
	if n := len(readingsOf(t, j, "b")); n != steps {
		t.Errorf("%d of %d that came meanwhile", n, steps)
	}
	if n := len(readingsOf(t, j, "a")); n != 0 {
		t.Errorf("%d of a left", n)
	}
}
