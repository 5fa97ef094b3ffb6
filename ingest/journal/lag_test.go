package journal

import (
	"testing"

	"haidang/ingest"
)

func TestBehindCountsWhatAReaderHasNotSeen(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := j.Behind(0); n != 0 {
		t.Errorf("an empty journal is %d ahead", n)
	}
	var es []ingest.Entry
	for seq := range int64(10) {
		es = append(es, ingest.Entry{Reading: &ingest.Reading{Device: "a", FixTime: t0, ReceivedAt: t0, Seq: seq}})
	}
	for range 2 { // the second time they are duplicates
		if _, err := j.Append(t.Context(), es); err != nil {
			t.Fatal(err)
		}
	}
	for after, want := range map[ingest.Pos]int64{0: 10, 4: 6, 10: 0, 15: 0, j.Head(): 0, j.Head() + 5: 0} {
		if n := j.Behind(after); n != want {
			t.Errorf("after %d: %d, want %d", after, n, want)
		}
	}
	j.Close()
	if j, err = Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if n := j.Behind(4); n != 6 {
		t.Errorf("after a restart: %d, want 6", n)
	}
}
