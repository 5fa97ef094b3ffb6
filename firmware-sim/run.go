package firmwaresim

import (
	"context"
	"log/slog"
	"time"
)

// catchUp is how far the pace may fall behind before the schedule is moved:
// a laptop that slept must not send its night at once, with old fix times.
const catchUp = 5 * time.Second

// Options of a run.
type Options struct {
	MQTT       string  // broker such as tcp://127.0.0.1:1883
	HTTP       string  // base URL for citizens' reports; empty is no reports
	Devices    int     // 0 is the scenario's own
	TimeFactor float64 // 60 makes an hour pass in a minute; 0 is 1
	Seed       uint64
	Log        *slog.Logger // nil is silence
}

// carrier takes messages to where they belong. It must not block for long:
// the pace of all devices waits for it.
type carrier interface {
	carry(m Message)
	close() // returns when all its goroutines have ended
}

// Run plays the scenario until the context ends, which is no error.
func Run(ctx context.Context, s *Scenario, opts Options) error {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	log := opts.Log.With("component", "firmware-sim")
	start := time.Now()
	st := NewStream(s, StreamOptions{Devices: opts.Devices, TimeFactor: opts.TimeFactor, Seed: opts.Seed, Start: start})
	net, err := newNetwork(ctx, opts, log, st.Fleet())
	if err != nil {
		return err
	}
	log.Info("simulator started", "scenario", s.Name, "devices", len(st.Fleet()), "time_factor", st.opts.TimeFactor, "seed", opts.Seed)
	pace(ctx, st, net, net.changes)
	net.close()
	return nil
}

// pace hands on each message at its time, and lets changes change the stream.
func pace(ctx context.Context, st *Stream, to carrier, changes <-chan retiming) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for ctx.Err() == nil {
		m := st.Next()
		ahead := time.Until(st.opts.Start.Add(m.At))
		if ahead < -catchUp {
			st.opts.Start = st.opts.Start.Add(-ahead)
		}
		if ahead > 0 {
			wait.Reset(ahead)
		}
		for due := ahead <= 0; !due; {
			select {
			case <-ctx.Done():
				return
			case c := <-changes:
				st.units[c.device].Interval = c.interval
			case <-wait.C:
				due = true
			}
		}
		to.carry(m)
	}
}
