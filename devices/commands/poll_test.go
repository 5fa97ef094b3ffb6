package commands

import (
	"testing"
	"time"
)

func (b *bench) pending() *Pending {
	b.t.Helper()
	p, err := b.Pending(b.t.Context(), "a")
	b.must(err)
	return p
}

// Who asks for its commands is not told by a broker that it does not hear: its
// tries are its own. That outlives a restart.
func TestWhoAsksIsPublishedNothing(t *testing.T) {
	b := newBench(t)
	if p := b.pending(); len(p.Items) != 0 || p.Config != nil {
		t.Errorf("pending: %+v", p)
	}
	for _, when := range []string{"now", "after a restart"} {
		c := b.send("a", "restart")
		b.Heard("a")
		b.turn(time.Now())
		b.want(c, Queued)
		if p := b.pending(); len(p.Items) != 1 || p.Items[0].ID != c.ID || p.Items[0].Name != "restart" {
			t.Errorf("%s pending: %+v", when, p)
		}
		b.want(c, Sent)
		// It may not have heard the answer.
		if p := b.pending(); len(p.Items) != 1 {
			t.Errorf("%s pending again: %+v", when, p)
		}
		if now, _ := b.Get(t.Context(), "a", c.ID); now.Attempts != 1 {
			t.Errorf("%s: %d tries", when, now.Attempts)
		}
		b.must(b.reply(c, "succeeded", ""))
		if p := b.pending(); len(p.Items) != 0 {
			t.Errorf("%s pending when it is done: %+v", when, p)
		}
		b.restart()
	}
	// By MQTT it hears them again.
	c := b.send("a", "restart")
	b.online["a"] = true
	b.Heard("a")
	b.turn(time.Now())
	b.want(c, Sent)
	// And so it does when it asked long ago.
	b.online["a"], b.asks["a"] = false, time.Now().Add(-asksFor)
	b.must(b.reply(c, "succeeded", ""))
	c = b.send("a", "restart")
	b.Heard("a")
	b.turn(time.Now())
	b.want(c, Sent)
}

// An answer that is not given is asked for three times, and not for ever.
func TestWhoAsksAndNeverAnswersTimesOut(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	now := time.Now()
	for try := range maxAttempts {
		if p := b.pending(); len(p.Items) != 1 {
			t.Fatalf("try %d: %+v", try, p)
		}
		b.want(c, Sent)
		now = now.Add(2 * time.Minute)
		b.turn(now)
	}
	b.want(c, TimedOut)
	if p := b.pending(); len(p.Items) != 0 {
		t.Errorf("pending: %+v", p)
	}
	counts, err := b.Counts(t.Context())
	if err != nil || counts[TimedOut] != 1 || counts[Sent]+counts[Queued] != 0 {
		t.Errorf("counted %v, %v", counts, err)
	}
}

func TestCommandsAreCounted(t *testing.T) {
	b := newBench(t)
	done, gone := b.send("a", "restart"), b.send("a", "identify")
	b.send("b", "restart")
	b.must(b.reply(done, "succeeded", ""))
	b.must(b.reply(done, "succeeded", "")) // said twice, done once
	if _, err := b.Stop(t.Context(), "a", gone.ID); err != nil {
		t.Fatal(err)
	}
	counts, err := b.Counts(t.Context())
	if err != nil || counts[Queued] != 1 || counts[Succeeded] != 1 || counts[Stopped] != 1 {
		t.Errorf("counted %v, %v", counts, err)
	}
}
