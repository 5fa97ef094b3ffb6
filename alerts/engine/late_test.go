package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"haidang/alerts"
	"haidang/ingest"
)

func TestLateReadingRaisesALateAlertAndLeavesThePresent(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(60, 10))
	b.take(pm(0, 200), pm(5, 210))
	b.want()
	b.review()
	b.want("r closed 0-60 late")
	if len(b.open) != 0 {
		t.Error("a past alert is open")
	}
	old := pm(120, 300) // the newest, but it arrived late
	old.Reading.Lateness = ingest.LateArrival
	b.take(old)
	b.want("r closed 0-60 late", "r open 120 late")
	b.take(pm(90, 300)) // before the open alert, after the late one
	b.review()
	b.want("r closed 0-60 late", "r open 120 late") // one excess, from 90 on
}

func TestLateDataFindsEachEpisode(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(0, 10), pm(60, 10))
	b.take(pm(40, 200), pm(30, 10), pm(20, 100), pm(10, 200), pm(5, 160), pm(50, 90)) // the newest first
	b.review()
	b.want("r closed 5-20 late", "r closed 40-50 late")
}

func TestLateDataIsJudgedWithFor(t *testing.T) {
	b := newBench(t, pmRule+"  for: 10m\n")
	b.take(pm(0, 10), pm(60, 10))
	b.take(pm(10, 200), pm(15, 10), pm(30, 200), pm(35, 200), pm(40, 200))
	b.review()
	b.want("r closed 30-60 late")
}

func TestLateDataLengthensTheSameAlert(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(0, 10), pm(60, 10))
	b.take(pm(40, 200), pm(50, 10))
	b.review()
	b.want("r closed 40-50 late")
	b.take(pm(30, 200))
	b.restart() // while the span waits
	b.review()
	b.want("r closed 30-50 late")
	b.review()
	b.want("r closed 30-50 late")
}

func TestLateDataStartsWhatIsPending(t *testing.T) {
	b := newBench(t, pmRule+"  for: 10m\n")
	b.take(pm(0, 10), pm(20, 200))
	b.take(pm(12, 200))
	b.review()
	b.take(pm(23, 200)) // 11 minutes since 12
	b.want("r open 12")
}

func TestWhatBeganLateBecomesLiveWhenItGoesOn(t *testing.T) {
	b := newBench(t, pmRule)
	old := pm(0, 300)
	old.Reading.Lateness = ingest.LateArrival
	b.take(old)
	b.want("r open 0 late")
	b.take(pm(5, 140)) // between clear and limit: says nothing new
	b.want("r open 0 late")
	b.take(pm(10, 300))
	b.want("r open 0")
}

func TestHysteresisHoldsForLateData(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(0, 10), pm(10, 130))
	b.take(pm(5, 200)) // never came below 120 since
	b.review()
	b.want("r open 5 late")
	b.take(pm(15, 100))
	b.want("r closed 5-15 late")
}

func TestClockAheadDoesNotMakeTheFollowingLate(t *testing.T) {
	b := newBench(t, pmRule)
	ahead := pm(8, 10)
	ahead.Reading.ReceivedAt = t0
	b.take(ahead)
	b.take(pm(1, 200)) // the clock was set right
	b.want("r open 1")
}

func TestAlertOfARemovedRuleIsClosed(t *testing.T) {
	b := newBench(t, pmRule)
	b.take(pm(0, 200))
	b.rules = nil
	b.restart()
	as, _, _ := b.store.List(t.Context(), alerts.Filter{})
	if len(as) != 1 || as[0].State != alerts.Closed || as[0].ClearReason != alerts.RuleRemoved || len(b.open) != 0 {
		t.Errorf("alert of a removed rule: %+v", as[0])
	}
}

// TestAnyOrderOfArrivalTellsTheSameStory shuffles two hours of readings: when
// all have come and been reviewed, an alert covers each excess, and none is of a
// time at which there was none.
func TestAnyOrderOfArrivalTellsTheSameStory(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			b := newBench(t, pmRule)
			b.take(pm(-600, 10), pm(600, 10)) // all between is late
			var es []ingest.Entry
			values := map[int]float64{}
			for m := 0; m < 120; m += 5 {
				values[m] = []float64{10, 130, 200}[rnd.IntN(3)]
				es = append(es, pm(m, values[m]))
			}
			rnd.Shuffle(len(es), func(i, j int) { es[i], es[j] = es[j], es[i] })
			for chunk := range slices.Chunk(es, 1+rnd.IntN(8)) {
				b.take(chunk...)
				if rnd.IntN(2) == 0 {
					b.review()
				}
			}
			b.review()
			covered := func(at time.Time) (n int) {
				as, _, _ := b.store.List(t.Context(), alerts.Filter{})
				for _, a := range as {
					if !at.Before(a.StartedAt) && at.Before(*a.ClearedAt) && a.ClearReason == "" {
						n++
					}
				}
				return n
			}
			for m, x := range values {
				n := covered(t0.Add(time.Duration(m) * time.Minute))
				if x == 200 && n == 0 {
					t.Errorf("minute %d: %g is covered by no alert; %q", m, x, b.story())
				}
				if x == 10 && n > 0 {
					t.Errorf("minute %d: %g is covered by an alert; %q", m, x, b.story())
				}
			}
		})
	}
}
