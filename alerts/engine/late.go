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

// lateWait holds a touched span back until its data stops coming, so that a
// backfill is judged in a few goes and not once a reading.
type lateWait struct{ since, touched time.Time }

const (
	lateQuiet   = time.Second
	latePatient = 30 * time.Second
	// latePerTick bounds how many spans one tick judges again; the rest wait.
	latePerTick = 200
	// clockAhead is how far a device's clock may be ahead (ingest.DefaultBounds).
	clockAhead = 10 * time.Minute
)

func (w *lateWait) due(now time.Time) bool {
	return now.Sub(w.touched) >= lateQuiet || now.Sub(w.since) >= latePatient
}

// review is one span to judge again, as things stood when it was taken up.
type review struct {
	span
	key  memoryKey
	rule *rules.Rule
	dev  *devices.Device
	last time.Time // the newest event time judged live
}

// span is a stretch of time, both ends included.
type span struct{ from, to time.Time }

// touches says whether the span and start to end share an instant; a zero end
// is open.
func (sp span) touches(start, end time.Time) bool {
	return !start.After(sp.to) && (end.IsZero() || !end.Before(sp.from))
}

// grow widens the span until every episode and every closed late alert lies
// wholly inside or wholly outside it.
func (sp span) grow(known []*alerts.Alert, found []episode) span {
	for {
		was := sp
		for _, a := range known {
			if a.Late && a.ClearedAt != nil && sp.touches(a.StartedAt, *a.ClearedAt) {
				sp = sp.union(a.StartedAt, *a.ClearedAt)
			}
		}
		for _, ep := range found {
			if sp.touches(ep.start, ep.end) {
				sp = sp.union(ep.start, ep.end)
			}
		}
		if sp == was {
			return sp
		}
	}
}

func (sp span) union(start, end time.Time) span {
	if start.Before(sp.from) {
		sp.from = start
	}
	if end.After(sp.to) {
		sp.to = end
	}
	return sp
}

// episode is one stretch for which a condition held.
type episode struct {
	start   time.Time
	end     time.Time // zero while it goes on
	first   sample    // the one that raised
	carried bool      // it was on before the replay began: its start is not known from it
}

func (ep *episode) overlaps(a *alerts.Alert) bool {
	return (a.ClearedAt == nil || !a.ClearedAt.Before(ep.start)) && (ep.end.IsZero() || !a.StartedAt.After(ep.end))
}

// judgePast judges the spans that late data touched. The journal is read
// without holding up live readings.
func (e *Engine) judgePast(ctx context.Context, now time.Time) error {
	for _, rv := range e.dueReviews(now) {
		out, err := e.replay(ctx, rv)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			e.log.Error("judge late data; trying again", "rule", rv.rule.ID, "device", rv.dev.ID, "error", err)
			continue
		}
		if err := e.settle(ctx, rv, out); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) dueReviews(now time.Time) []review {
	e.mu.Lock()
	defer e.mu.Unlock()
	var due []review
	for k, w := range e.late {
		m, rule := e.memory[k], e.byID[k.rule]
		dev, ok := e.reg.Get(k.device)
		if m == nil || rule == nil || !ok {
			delete(e.late, k)
			continue
		}
		if w.due(now) {
			due = append(due, review{span{m.LateFrom, m.LateTo}, k, rule, dev, m.Last})
		}
		if len(due) == latePerTick {
			break
		}
	}
	return due
}

// replay takes the rule's steps anew through the touched span, from far enough
// before it to know what was pending, until the condition rests after it.
func (e *Engine) replay(ctx context.Context, rv review) (outcome, error) {
	start := rv.from.Add(-2*rv.rule.For - 4*e.reg.Interval(rv.dev))
	key := openKey(rv.rule, rv.dev)
	for reach := max(time.Hour, 2*rv.rule.For); ; reach *= 4 {
		end := rv.to.Add(reach)
		whole := !end.Before(rv.last)
		if whole {
			end = rv.last
		}
		known, err := e.store.Overlapping(ctx, key, start, end)
		if err != nil {
			return outcome{}, err
		}
		samples, err := e.samples(ctx, rv, start, end)
		if err != nil {
			return outcome{}, err
		}
		before := slices.ContainsFunc(known, func(a *alerts.Alert) bool { return a.StartedAt.Before(start) })
		found, after := walk(rv.rule, samples, start, before)
		sp := rv.span.grow(known, found)
		if whole || after.Pending.IsZero() && !goesOn(found) && !sp.to.After(end) {
			return outcome{sp, known, found, after}, nil
		}
	}
}

// outcome is what a replay found, and the span it says something about.
type outcome struct {
	span
	known []*alerts.Alert
	found []episode
	after course
}

// samples reads start to end from the journal, in order of event time.
func (e *Engine) samples(ctx context.Context, rv review, start, end time.Time) ([]sample, error) {
	q := ingest.ReadingsQuery{Device: rv.dev.ID, From: start, To: end.Add(clockAhead + time.Millisecond), Limit: 10_000}
	var all []sample
	for {
		items, next, err := e.past.Readings(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range items {
			if s, ok := observe(rv.rule, &items[i]); ok && !s.at.After(end) {
				all = append(all, s)
			}
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b sample) int { return a.at.Compare(b.at) })
	return all, nil
}

// walk takes a rule through samples; open says that it was raised before start.
func walk(rule *rules.Rule, samples []sample, start time.Time, open bool) (found []episode, after course) {
	if open {
		found = append(found, episode{start: start, carried: true})
	}
	for _, s := range samples {
		switch edge, since := after.step(rule, s, open); edge {
		case raised:
			found, open = append(found, episode{start: since, first: s}), true
		case cleared:
			found[len(found)-1].end, open = s.at, false
		}
	}
	return found, after
}

// settle brings the late alerts of the touched span to what replay found.
// Alerts raised live stay what they were, a record of what people were told,
// and cover what they overlap.
func (e *Engine) settle(ctx context.Context, rv review, out outcome) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.memory[rv.key]
	if !m.Last.Equal(rv.last) && goesOn(out.found) {
		return nil // the present moved on meanwhile: look again at the next tick
	}
	// The late alerts in the span are cut anew.
	var old []*alerts.Alert
	for _, a := range out.known {
		if a.Late && a.ClearedAt != nil && out.touches(a.StartedAt, *a.ClearedAt) {
			old = append(old, a)
		}
	}
	for _, ep := range out.found {
		told := slices.ContainsFunc(out.known, func(a *alerts.Alert) bool { return ep.overlaps(a) && (!a.Late || a.ClearedAt == nil) })
		if told || !out.touches(ep.start, ep.end) {
			continue
		}
		if i := slices.IndexFunc(old, ep.overlaps); i >= 0 {
			e.recut(old[i], ep, rv.last)
			old = slices.Delete(old, i, i+1)
			continue
		}
		e.raise(rv.rule, rv.dev, ep.start, true, func(a *alerts.Alert) {
			fill(e.reg, rv.rule, rv.dev, ep.first)(a)
			if end := ep.end.UTC(); !ep.end.IsZero() {
				a.State, a.ClearedAt = alerts.Closed, &end
			}
		})
	}
	for _, a := range old {
		if a.ClearReason == "" {
			c := *a
			c.ClearReason = alerts.Withdrawn
			e.changed = append(e.changed, &c)
		}
	}
	if p := out.after.Pending; !p.IsZero() && p.Before(m.Pending) && m.Last.Equal(rv.last) {
		m.Pending = p
	}
	if m.LateFrom.Equal(rv.from) && m.LateTo.Equal(rv.to) {
		m.LateFrom, m.LateTo = time.Time{}, time.Time{}
		delete(e.late, rv.key)
	}
	e.dirty[rv.key] = struct{}{}
	return e.saveUntilDone(ctx)
}

func goesOn(found []episode) bool {
	return len(found) > 0 && found[len(found)-1].end.IsZero()
}

// recut gives a closed late alert the extent of its episode.
func (e *Engine) recut(a *alerts.Alert, ep episode, last time.Time) {
	c := *a
	if !ep.carried {
		c.StartedAt = ep.start.UTC()
	}
	end := ep.end.UTC()
	if ep.end.IsZero() {
		end = last.UTC()
	}
	if c.ClearedAt, c.ClearReason = &end, ""; !c.StartedAt.Equal(a.StartedAt) || !end.Equal(*a.ClearedAt) || a.ClearReason != "" {
		e.changed = append(e.changed, &c)
	}
}
