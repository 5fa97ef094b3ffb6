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
			tr.takeSeq(s)
		}
		if tr.Gaps != c.gaps || tr.Missing != c.missing || tr.Restarts != c.restarts || fmt.Sprint(tr.Open) != c.open {
			t.Errorf("%v: %+v", c.seqs, tr)
		}
	}
	var tr Trust
	tr.LastSeq = ingest.NoSeq
	for s := int64(0); s < 1000; s += 2 {
		tr.takeSeq(s)
	}
	if len(tr.Open) != maxGaps || tr.Missing != 499 {
		t.Errorf("%d gaps are remembered, %d numbers missing", len(tr.Open), tr.Missing)
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
