package latest

import (
	"fmt"
	"testing"
	"time"

	"haidang/ingest"
)

func TestGapsAreCountedAndFilled(t *testing.T) {
	for _, c := range []struct {
		seqs                    []int64
		gaps, missing, restarts int64
		open                    string
	}{
		{[]int64{1, 2, 3}, 0, 0, 0, "[]"},
		{[]int64{1, 2, 6}, 1, 3, 0, "[{3 5}]"},
		{[]int64{1, 6, 4}, 1, 3, 0, "[{2 3} {5 5}]"},
		{[]int64{1, 6, 4, 4, 2, 3, 5}, 1, 0, 0, "[]"},
		{[]int64{100, 103, 1, 2}, 1, 2, 1, "[]"}, // began anew
		{[]int64{100, 90, 101}, 0, 0, 0, "[]"},   // a repeat
		{[]int64{ingest.NoSeq, 5, ingest.NoSeq, 6}, 0, 0, 0, "[]"},
	} {
		tr := Trust{LastSeq: ingest.NoSeq}
		for _, s := range c.seqs {
			tr.takeSeq(s, t0)
		}
		if tr.Gaps != c.gaps || tr.Missing != c.missing || tr.Restarts != c.restarts || fmt.Sprint(tr.Open) != c.open {
			t.Errorf("%v: %+v", c.seqs, tr)
		}
	}
	var tr Trust
	tr.LastSeq = ingest.NoSeq
	for s := int64(0); s < 1000; s += 2 {
		tr.takeSeq(s, t0)
	}
	if len(tr.Open) != maxGaps || tr.Missing != 499 {
		t.Errorf("%d gaps are remembered, %d numbers missing", len(tr.Open), tr.Missing)
	}
}

// A number that cannot be right is a new beginning, not a gap of that size; when
// it was alone in being wrong the numbering goes on where it was.
func TestJumpTooFarIsARestart(t *testing.T) {
	const corrupt = 1<<53 - 1
	for _, c := range []struct {
		name                    string
		after                   time.Duration // between two numbers
		seqs                    []int64
		gaps, missing, restarts int64
		last                    int64
		open                    string
	}{
		{"one wrong number", time.Minute, []int64{1, 2, 6, corrupt, 7, 4, 8}, 1, 2, 1, 8, "[{3 3} {5 5}]"},
		{"one wrong number, and the gap before it", time.Minute, []int64{1, 2, corrupt, 5, 6}, 1, 2, 1, 6, "[{3 4}]"},
		{"one that is too low", time.Minute, []int64{5000, 0, 5001, 5002}, 0, 0, 1, 5002, "[]"},
		{"wrong between large ones", time.Second, []int64{1e9, 19e8, 1e9 + 1, 1e9 + 3}, 1, 1, 1, 1e9 + 3, "[{1000000002 1000000002}]"},
		{"a new numbering far above", time.Second, []int64{5, corrupt - 10, corrupt - 9, corrupt - 7}, 1, 1, 1, corrupt - 7, "[{9007199254740983 9007199254740983}]"},
		{"wrong twice", time.Minute, []int64{1, corrupt - 5, corrupt - 5, 2}, 0, 0, 1, 2, "[]"},
		{"away for a day, ten a second", 24 * time.Hour, []int64{1, 864_001}, 1, 863_999, 0, 864_001, "[{2 864000}]"},
		{"at once", 0, []int64{1, 864_001}, 0, 0, 1, 864_001, "[]"},
	} {
		tr, at := Trust{LastSeq: ingest.NoSeq}, t0
		for _, s := range c.seqs {
			tr.takeSeq(s, at)
			at = at.Add(c.after)
		}
		if tr.Gaps != c.gaps || tr.Missing != c.missing || tr.Restarts != c.restarts || tr.LastSeq != c.last || fmt.Sprint(tr.Open) != c.open {
			t.Errorf("%s: %+v", c.name, tr)
		}
	}
}

func TestSkewIsTheLeastDelay(t *testing.T) {
	tr := Trust{}
	if _, ok := tr.Skew(); ok {
		t.Error("a skew before any reading")
	}
	take := func(n int, ahead, way time.Duration) {
		for i := range n {
			tr.takeClock(&ingest.Reading{FixTime: t0.Add(ahead), ReceivedAt: t0.Add(way * time.Duration(1+i%5))})
		}
	}
	take(50, 90*time.Second, 100*time.Millisecond)
	if s, _ := tr.Skew(); s != 90*time.Second-100*time.Millisecond {
		t.Errorf("a clock 90 s ahead is estimated as %s", s)
	}
	take(50, 0, 100*time.Millisecond) // set right
	if s, _ := tr.Skew(); s != -100*time.Millisecond {
		t.Errorf("a clock set right is estimated as %s", s)
	}
}
