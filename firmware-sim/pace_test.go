package firmwaresim

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPaceKeepsTime plays a stream through the real pacing, on a fake clock.
func TestPaceKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		rec := &recorder{stop: stop, atMost: 3000}
		start := time.Now()
		opts := StreamOptions{TimeFactor: 60, Seed: 3, Start: start}
		pace(ctx, NewStream(load(t, DefaultScenario), opts), rec, nil)

		twin := NewStream(load(t, DefaultScenario), opts)
		for i, m := range rec.messages {
			if want := twin.Next(); want.At != m.At || want.ID != m.ID || string(want.Payload) != string(m.Payload) {
				t.Fatalf("message %d is %+v, the stream has %+v", i, m, want)
			}
		}
		if took, want := time.Since(start), rec.messages[2999].At; took != want {
			t.Fatalf("took %s, the schedule says %s", took, want)
		}
	})
}
