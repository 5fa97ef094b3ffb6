package engine

import (
	"time"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/ingest"
)

// judge takes one reading through every rule on its device.
func (e *Engine) judge(r *ingest.Reading) {
	dev, ok := e.reg.Get(r.Device)
	if !ok {
		return
	}
	for _, rule := range e.byType[dev.Type] {
		if rule.Device != "" && rule.Device != dev.ID {
			continue
		}
		if s, ok := observe(rule, r); ok {
			e.judgeSample(rule, dev, s, r.Lateness == ingest.LiveNow)
		}
	}
}

func (e *Engine) judgeSample(rule *rules.Rule, dev *devices.Device, s sample, live bool) {
	m := e.remember(rule, dev)
	if s.at.Before(m.Last) {
		e.noteLate(memoryKey{rule.ID, dev.ID}, m, s.at)
		return
	}
	m.Last = s.at
	open := e.open[openKey(rule, dev)]
	switch edge, since := m.step(rule, s, open != nil); {
	case edge == raised:
		e.raise(rule, dev, since, !live, fill(e.reg, rule, dev, s))
	case edge == cleared:
		e.clear(open, s.at, "")
	case open != nil && open.Late && live && s.raises:
		// What began in data that came late goes on now: now it is live.
		e.amend(open, func(a *alerts.Alert) { a.Late = false })
	}
}

func openKey(rule *rules.Rule, dev *devices.Device) string {
	return rule.ID + "|" + string(dev.ID) + "|" + rule.Fence
}

// fill says what the sample that raised an alert was.
func fill(reg Registry, rule *rules.Rule, dev *devices.Device, s sample) func(*alerts.Alert) {
	return func(a *alerts.Alert) {
		place(a, s.where)
		if rule.Kind == rules.Geofence {
			a.Fence = rule.Fence
			a.Summary, a.SummaryEN = fenceSummary(rule)
			return
		}
		limit, x := rule.Limit(), s.number
		a.Metric, a.Value, a.Threshold = rule.Metric, &x, &limit
		var metric *devices.Metric
		if t, ok := reg.Type(dev.Type); ok {
			metric = t.Metric(rule.Metric)
		}
		a.Summary, a.SummaryEN = thresholdSummary(rule, metric, x)
	}
}

// noteLate marks that the past has changed at at.
func (e *Engine) noteLate(k memoryKey, m *memory, at time.Time) {
	if m.LateFrom.IsZero() || at.Before(m.LateFrom) {
		m.LateFrom = at
	}
	if at.After(m.LateTo) {
		m.LateTo = at
	}
	now := time.Now()
	w := e.late[k]
	if w == nil {
		w = &lateWait{since: now}
		e.late[k] = w
	}
	w.touched = now
}
