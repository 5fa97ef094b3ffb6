package engine

import (
	"context"
	"time"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
)

// runClock looks for silence and for late data until ctx ends.
func (e *Engine) runClock(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			if err := e.Tick(ctx, now); err != nil {
				return err
			}
		}
	}
}

// Tick judges who is silent at now, which events are over, and the past where
// late data touched it. Silence counts from when the device last spoke or, if
// that is later, from when this program started: while it was down it could
// hear nobody.
func (e *Engine) Tick(ctx context.Context, now time.Time) error {
	if err := e.judgeSilence(ctx, now); err != nil {
		return err
	}
	if err := e.judgeQuiet(ctx, now); err != nil {
		return err
	}
	return e.judgePast(ctx, now)
}

func (e *Engine) judgeSilence(ctx context.Context, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.grouped = nil
	for _, rule := range e.absence {
		for _, dev := range e.reg.List(devices.Filter{Type: rule.DeviceType}) {
			if rule.Device == "" || rule.Device == dev.ID {
				e.judgeAbsence(rule, dev, now)
			}
		}
	}
	e.leaveOut(now)
	e.judgeCohorts(now)
	if len(e.changed) == 0 {
		return nil
	}
	return e.saveUntilDone(ctx)
}

// leaveOut closes the silence of devices that are no longer in service: nothing
// else would.
func (e *Engine) leaveOut(now time.Time) {
	for _, a := range e.open {
		rule := e.byID[a.Rule]
		if rule == nil || rule.Kind != rules.Absence {
			continue
		}
		if dev, ok := e.reg.Get(devices.ID(a.Device)); !ok || !dev.Life.Speaks() {
			e.clear(a, now, alerts.OutOfService)
		}
	}
}

func (e *Engine) judgeAbsence(rule *rules.Rule, dev *devices.Device, now time.Time) {
	last := e.seen.LastSeen(dev.ID)
	if last.IsZero() {
		return // it never spoke: a matter for the registry, not an alarm
	}
	open := e.open[openKey(rule, dev)]
	if open != nil {
		if last.After(open.StartedAt) {
			e.clear(open, last, "")
		}
		return
	}
	t := e.traits(dev)
	limit := time.Duration(rule.Intervals * float64(t.Interval))
	if limit <= 0 || t.Contract == devices.Event || now.Sub(e.heardAt(last)) <= limit {
		return
	}
	cohort := e.cohortOf(dev, now)
	e.raise(rule, dev, last, false, func(a *alerts.Alert) {
		a.Summary, a.SummaryEN = absenceSummary(rule, last)
		a.Cohort = cohort
	})
}

// heardAt is from when on a silence counts.
func (e *Engine) heardAt(last time.Time) time.Time {
	if e.began.After(last) {
		return e.began
	}
	return last
}
