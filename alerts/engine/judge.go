package engine

import (
	"context"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/ingest"
)

// judgeThreshold judges one value in event time.
func (e *Engine) judgeThreshold(rule *rules.Rule, dev *devices.Device, r *ingest.Reading) {
	v, ok := r.Value(rule.Metric)
	if !ok || v.Quality != ingest.Good {
		return
	}
	m := e.remember(rule, dev)
	open := e.open[rule.ID+"|"+string(dev.ID)+"|"]
	if r.FixTime.Before(m.Last) {
		e.judgeLate(rule, dev, r, m, v.Number, open)
		return
	}
	m.Last = r.FixTime
	switch {
	case open != nil:
		if rule.Clears(v.Number) {
			e.clear(open, r.FixTime)
			m.Pending = time.Time{}
		}
	case rule.Raises(v.Number):
		if m.Pending.IsZero() {
			m.Pending = r.FixTime
		}
		if r.FixTime.Sub(m.Pending) >= rule.For {
			e.raise(rule, dev, m.Pending, r.Lateness != ingest.LiveNow, e.thresholdAlert(rule, dev, r, v.Number))
			m.Pending = time.Time{}
		}
	default:
		m.Pending = time.Time{}
	}
}

// judgeLate judges a value that is older than what is known: if it was beyond
// the limit at a time that no alert covers, that is told, as past.
func (e *Engine) judgeLate(rule *rules.Rule, dev *devices.Device, r *ingest.Reading, m *memory, x float64, open *alerts.Alert) {
	at := r.FixTime
	covered := open != nil && !at.Before(open.StartedAt) || !at.Before(m.LateFrom) && !at.After(m.LateTo)
	if !rule.Raises(x) || rule.For > 0 || covered {
		return
	}
	end := m.Last
	m.LateFrom, m.LateTo = at, end
	e.raise(rule, dev, at, true, func(a *alerts.Alert) {
		e.thresholdAlert(rule, dev, r, x)(a)
		a.State, a.ClearedAt = alerts.Closed, &end
	})
}

func (e *Engine) thresholdAlert(rule *rules.Rule, dev *devices.Device, r *ingest.Reading, x float64) func(*alerts.Alert) {
	return func(a *alerts.Alert) {
		limit := rule.Limit()
		a.Metric, a.Value, a.Threshold = rule.Metric, &x, &limit
		place(a, r.Position)
		var metric *devices.Metric
		if t, ok := e.reg.Type(dev.Type); ok {
			metric = t.Metric(rule.Metric)
		}
		a.Summary, a.SummaryEN = thresholdSummary(rule, metric, x)
	}
}

func place(a *alerts.Alert, p *devices.Position) {
	if p != nil {
		a.Lat, a.Lon = &p.Lat, &p.Lon
	}
}

// judgeFence judges where a device is. The first fix only says where it
// starts: it neither entered nor left.
func (e *Engine) judgeFence(rule *rules.Rule, dev *devices.Device, r *ingest.Reading) {
	if r.Position == nil {
		return
	}
	m := e.remember(rule, dev)
	if r.FixTime.Before(m.Last) {
		return
	}
	m.Last = r.FixTime
	inside := planar.RingContains(rule.Ring(), orb.Point{r.Position.Lon, r.Position.Lat})
	was := m.Inside
	m.Inside = &inside
	raising := inside == (rule.On == "enter")
	open := e.open[rule.ID+"|"+string(dev.ID)+"|"+rule.Fence]
	switch {
	case open != nil && !raising:
		e.clear(open, r.FixTime)
	case open == nil && raising && was != nil && *was != inside:
		e.raise(rule, dev, r.FixTime, r.Lateness != ingest.LiveNow, func(a *alerts.Alert) {
			a.Fence = rule.Fence
			place(a, r.Position)
			a.Summary, a.SummaryEN = fenceSummary(rule)
		})
	}
}

// runClock looks for silence until ctx ends.
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

// Tick judges who is silent at now. Silence counts from when the device last
// spoke or, if that is later, from when this program started: while it was
// down it could hear nobody.
func (e *Engine) Tick(ctx context.Context, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, rule := range e.absence {
		for _, dev := range e.reg.List(devices.Filter{Type: rule.DeviceType}) {
			if rule.Device == "" || rule.Device == dev.ID {
				e.judgeAbsence(rule, dev, now)
			}
		}
	}
	if len(e.changed) == 0 {
		return nil
	}
	return e.saveUntilDone(ctx)
}

func (e *Engine) judgeAbsence(rule *rules.Rule, dev *devices.Device, now time.Time) {
	last := e.seen.LastSeen(dev.ID)
	if last.IsZero() {
		return // it never spoke: a matter for the registry, not an alarm
	}
	open := e.open[rule.ID+"|"+string(dev.ID)+"|"]
	if open != nil {
		if last.After(open.StartedAt) {
			e.clear(open, last)
		}
		return
	}
	limit := time.Duration(rule.Intervals * float64(e.reg.Interval(dev)))
	since := last
	if e.began.After(since) {
		since = e.began
	}
	if limit > 0 && now.Sub(since) > limit {
		e.raise(rule, dev, last, false, func(a *alerts.Alert) {
			a.Summary, a.SummaryEN = absenceSummary(rule, last)
		})
	}
}
