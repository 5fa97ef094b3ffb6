package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
)

// Zone is Vietnam's time.
var Zone = time.FixedZone("UTC+7", 7*3600)

// Job runs each night. Build it with NewJob; Run it once.
type Job struct {
	store *Store
	parts []Part
	// seal is done before a run: it completes the vessel tracks' chains, notes
	// their heads and returns the digest of them. It may be nil.
	seal func(context.Context) (string, error)
	at   time.Duration // after midnight in Zone
	log  *slog.Logger

	running sync.Mutex
	removed *prometheus.CounterVec
	last    prometheus.Gauge
	failed  prometheus.Gauge
}

// JobOptions are what a Job needs; Metrics may be nil.
type JobOptions struct {
	Store *Store
	Parts []Part
	Seal  func(context.Context) (string, error)
	// At is when it runs, after midnight in Vietnam.
	At      time.Duration
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// NewJob prepares the job.
func NewJob(o JobOptions) *Job {
	j := &Job{store: o.Store, parts: o.Parts, seal: o.Seal, at: o.At, log: o.Log,
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_retention_removed_total", Help: "Things removed or anonymised past their retention, by class."}, []string{"class"}),
		last:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "haidang_retention_last_run_timestamp_seconds", Help: "When the last retention run ended; 0: none did since the program began."}),
		failed:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "haidang_retention_unremoved_classes", Help: "Classes that the last retention run deferred or failed on."})}
	if o.Metrics != nil {
		o.Metrics.MustRegister(j.removed, j.last, j.failed)
	}
	return j
}

// Plan says what a run would remove now.
func (j *Job) Plan(ctx context.Context) (Run, error) {
	r := Run{StartedAt: now(), State: Planned, Items: []Item{}}
	return r, j.plan(ctx, &r)
}

func (j *Job) plan(ctx context.Context, r *Run) error {
	for _, c := range j.store.Classes() {
		it := Item{Class: c.ID, Keep: c.Keep, State: Planned, Would: Lots{}, Removed: Lots{}}
		for _, p := range j.parts {
			if p.Class != c.ID {
				continue
			}
			lots, err := p.Plan(ctx, Cut{c, r.StartedAt})
			if err != nil {
				return fmt.Errorf("plan what goes of %s: %w", c.ID, err)
			}
			for _, l := range lots {
				it.Would.Add(l)
			}
			if why, err := p.waits(ctx); err != nil {
				return fmt.Errorf("plan what goes of %s: %w", c.ID, err)
			} else if why != "" {
				it.Note = why
			}
		}
		r.Items = append(r.Items, it)
	}
	return nil
}

func (p *Part) waits(ctx context.Context) (string, error) {
	if p.Waits == nil {
		return "", nil
	}
	return p.Waits(ctx)
}

// Now plans and removes; by is who wants it. Only one run goes on at a time:
// another is devices.ErrConflict.
func (j *Job) Now(ctx context.Context, by string) (Run, error) {
	if !j.running.TryLock() {
		return Run{}, fmt.Errorf("a retention run is under way: %w", devices.ErrConflict)
	}
	defer j.running.Unlock()
	r := Run{StartedAt: now(), State: Removing, By: by, Items: []Item{}}
	if err := j.tracks(ctx, &r); err != nil {
		return r, err
	}
	if err := j.plan(ctx, &r); err != nil {
		return r, err
	}
	if err := j.store.beginRun(ctx, &r); err != nil {
		return r, err
	}
	return r, j.remove(ctx, &r)
}

// tracks seals the vessel tracks.
func (j *Job) tracks(ctx context.Context, r *Run) (err error) {
	if j.seal == nil {
		return nil
	}
	if r.Tracks, err = j.seal(ctx); err != nil {
		return fmt.Errorf("seal vessel tracks: %w", err)
	}
	return nil
}

// resume goes on with the run that was broken off, if one was.
func (j *Job) resume(ctx context.Context) error {
	j.running.Lock()
	defer j.running.Unlock()
	r, err := j.store.unfinished(ctx)
	if err != nil || r == nil {
		return err
	}
	r.Resumed++
	if err := j.store.saveRun(ctx, r); err != nil {
		return err
	}
	j.log.Info("a retention run that was broken off goes on", "component", "retention", "run", r.ID, "began", r.StartedAt)
	return j.remove(ctx, r)
}

// caughtUp waits until the readers of the stores have taken what would go, but no
// longer than settleDown: just after a start they are still at it, and what the
// run was about would be put off to the next night.
func (j *Job) caughtUp(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(settleDown); time.Now().Before(end); {
		waits := false
		for i := range j.parts {
			why, err := j.parts[i].waits(ctx)
			waits = waits || err != nil || why != ""
		}
		if !waits {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// remove does what the plan says, class by class. A class that fails costs the
// others nothing.
func (j *Job) remove(ctx context.Context, r *Run) error {
	for i := range r.Items {
		it := &r.Items[i]
		if it.State != Planned && it.State != Removing {
			continue
		}
		c, err := j.store.Class(it.Class)
		if errors.Is(err, devices.ErrNotFound) { // of another version of the program
			it.State, it.Note = Failed, err.Error()
			continue
		}
		it.State, it.Note = Removing, ""
		err = j.removeClass(ctx, r, it, Cut{c, r.StartedAt})
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), j.store.saveRun(context.WithoutCancel(ctx), r))
		}
		if err != nil {
			it.State, it.Note = Failed, err.Error()
			j.log.Error("remove what is past its retention; it is tried again the next night", "component", "retention", "class", it.Class, "error", err)
		} else if it.State == Removing {
			it.State = Done
		}
		if err := j.store.saveRun(ctx, r); err != nil {
			return err
		}
	}
	r.State = Done
	open := 0
	for _, it := range r.Items {
		if it.State != Done {
			open++
		}
		if it.State == Failed {
			r.State = Failed
		}
	}
	if err := j.store.endRun(ctx, r); err != nil {
		return err
	}
	j.last.Set(float64(r.EndedAt.Unix()))
	j.failed.Set(float64(open))
	j.log.Info("retention run", "component", "retention", "run", r.ID, "state", r.State, "removed", string(r.totals(func(i *Item) Lots { return i.Removed })), "tracks", r.Tracks)
	return nil
}

// saveEvery is how often what a class lost is kept, while it goes.
const saveEvery = 2 * time.Second

func (j *Job) removeClass(ctx context.Context, r *Run, it *Item, c Cut) error {
	saved := time.Now()
	for _, p := range j.parts {
		if p.Class != it.Class {
			continue
		}
		why, err := p.waits(ctx)
		if err != nil {
			return err
		}
		if why != "" {
			it.State, it.Note = Deferred, why
			continue
		}
		err = p.Remove(ctx, c, func(l Lot) error {
			it.Removed.Add(l)
			j.removed.WithLabelValues(it.Class).Add(float64(l.Count))
			if time.Since(saved) < saveEvery {
				return ctx.Err()
			}
			saved = time.Now()
			return j.store.saveRun(ctx, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Run goes on with what was broken off, makes up for a night that was missed,
// and then runs each night, until ctx ends.
func (j *Job) Run(ctx context.Context) error {
	if r, err := j.store.unfinished(ctx); err == nil && r != nil {
		j.caughtUp(ctx)
	}
	j.done(ctx, j.resume(ctx))
	for first := true; ; first = false {
		wait := time.Until(next(time.Now(), j.at))
		if first && j.missed(ctx, time.Now()) {
			wait = settleDown
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		j.done(ctx, j.resume(ctx)) // one that could not be ended
		_, err := j.Now(ctx, "system")
		j.done(ctx, err)
	}
}

// settleDown is how long a night that was missed waits after a start: readers
// catch up first.
const settleDown = 10 * time.Minute

func (j *Job) done(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		j.log.Error("retention run", "component", "retention", "error", err)
	}
}

// missed says whether the last run is more than a day old.
func (j *Job) missed(ctx context.Context, t time.Time) bool {
	rs, err := j.store.Runs(ctx, 0, 1)
	return err == nil && len(rs) > 0 && t.Sub(rs[0].StartedAt) > 25*time.Hour
}

// next is the first time of day at in Zone that follows t.
func next(t time.Time, at time.Duration) time.Time {
	l := t.In(Zone)
	n := time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, Zone).Add(at)
	if !n.After(t) {
		n = n.AddDate(0, 0, 1)
	}
	return n
}
