package engine

import (
	"context"
	"slices"
	"time"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/ingest"
)

// judgeEvent takes one event through the rules on what devices say.
func (e *Engine) judgeEvent(ev *ingest.Event) {
	for _, rule := range e.events {
		if !slices.Contains(rule.Events, ev.Type) || rule.Device != "" && rule.Device != ev.Device {
			continue
		}
		dev, ok := e.reg.Get(ev.Device)
		if ok && (rule.DeviceType == "" || rule.DeviceType == dev.Type) {
			e.hear(rule, dev, ev)
		}
	}
}

// hear opens the alert or keeps it open. An SOS that took an hour to arrive is
// still one: it is late only when it would be over by now.
func (e *Engine) hear(rule *rules.Rule, dev *devices.Device, ev *ingest.Event) {
	at := ev.EventTime()
	m := e.remember(rule, dev)
	if !at.Before(m.Last) {
		m.Last = at
	}
	late := ev.ReceivedAt.Sub(at) > rule.Quiet
	open := e.open[openKey(rule, dev)]
	if open == nil {
		e.raise(rule, dev, at, late, func(a *alerts.Alert) {
			a.Summary, a.SummaryEN = eventSummary(ev.Type, at)
			place(a, ev.Position)
		})
		return
	}
	p := ev.Position
	moved := p != nil && at.Equal(m.Last) && (open.Lat == nil || *open.Lat != p.Lat || *open.Lon != p.Lon)
	wakes := open.Late && !late
	if !moved && !wakes {
		return
	}
	e.amend(open, func(a *alerts.Alert) {
		a.Late = a.Late && late
		if moved {
			place(a, p)
		}
	})
}

// judgeQuiet closes alerts whose event was not said for long enough.
func (e *Engine) judgeQuiet(ctx context.Context, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range e.open {
		rule := e.byID[a.Rule]
		if rule == nil || rule.Kind != rules.Event {
			continue
		}
		last := a.StartedAt
		if m := e.memory[memoryKey{rule.ID, devices.ID(a.Device)}]; m != nil && m.Last.After(last) {
			last = m.Last
		}
		if now.Sub(last) > rule.Quiet {
			e.clear(a, last, "")
		}
	}
	if len(e.changed) == 0 {
		return nil
	}
	return e.saveUntilDone(ctx)
}
