package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"haidang/alerts"
	"haidang/devices"
)

// CohortOptions say when the silences of many devices are one outage: that of
// what they have in common. A group outage opens when a silence is about to be
// an alert, and there is an instant at which at least Number devices of a group
// and at least Share of those that spoke before it may all have stopped: each
// some time after its last word, within its interval and Within.
type CohortOptions struct {
	Share  float64       // 0 means 0.6
	Number int           // 0 means 3
	Within time.Duration // 0 means 10 minutes
	// Kinds are what groups devices, of CohortKinds; none means the first four.
	Kinds []string
}

// CohortKinds are what can group devices: what they speak through, who
// delivered them, a cohort that the registry names, and their area and type.
var CohortKinds = []string{"network", "gateway", "vendor", "cohort", "area"}

func (o CohortOptions) orDefault() CohortOptions {
	if o.Share == 0 {
		o.Share = 0.6
	}
	if o.Number == 0 {
		o.Number = 3
	}
	if o.Within == 0 {
		o.Within = 10 * time.Minute
	}
	if len(o.Kinds) == 0 {
		o.Kinds = CohortKinds[:4]
	}
	return o
}

// groupsOf are the groups a device belongs to, as kind:name.
func (e *Engine) groupsOf(dev *devices.Device) (groups []string) {
	t := e.traits(dev)
	for _, kind := range e.cohort.Kinds {
		name := ""
		switch kind {
		case "network":
			name = t.Network
		case "gateway":
			name = t.Gateway
		case "vendor":
			name = t.Vendor
		case "cohort":
			name = t.Cohort
		case "area":
			if dev.Area != "" {
				name = dev.Area + "/" + string(dev.Type)
			}
		}
		if name != "" {
			groups = append(groups, kind+":"+name)
		}
	}
	return groups
}

// cohortOf is the open group outage that a silence of dev is part of, opening
// one if it is the time; empty: it is a matter of its own.
func (e *Engine) cohortOf(dev *devices.Device, now time.Time) string {
	groups := e.groupsOf(dev)
	if len(groups) == 0 {
		return ""
	}
	var others []string
	for _, g := range groups {
		open := e.open[alerts.CohortKind+"|"+g]
		switch {
		case open == nil:
			others = append(others, g)
		case e.belongs(dev, open):
			e.join(open, dev)
			return open.ID
		}
	}
	e.group()
	// The broadest first: when a network fails, so do all its gateways.
	slices.SortStableFunc(others, func(a, b string) int { return cmp.Compare(len(e.grouped[b]), len(e.grouped[a])) })
	for _, g := range others {
		if id := e.openCohort(g, dev, now); id != "" {
			return id
		}
	}
	return ""
}

// group sorts all devices by group, once a tick and only when that is needed.
// Those that an open outage has already are in no other.
func (e *Engine) group() {
	if e.grouped != nil {
		return
	}
	e.grouped = map[string][]*devices.Device{}
	taken := map[string]bool{}
	for _, key := range e.cohorts {
		for _, id := range e.open[key].Members {
			taken[id] = true
		}
	}
	for _, d := range e.reg.List(devices.Filter{}) {
		if taken[string(d.ID)] {
			continue
		}
		for _, g := range e.groupsOf(d) {
			e.grouped[g] = append(e.grouped[g], d)
		}
	}
}

// belongs says whether dev may have stopped when the outage began, or is one of
// its members that came and went again. Another that stops later, while the
// rest of what failed is away, stopped for a reason of its own.
func (e *Engine) belongs(dev *devices.Device, outage *alerts.Alert) bool {
	s := e.stop(dev)
	return !s.from.After(outage.StartedAt) && !s.to.Before(outage.StartedAt) || slices.Contains(outage.Members, string(dev.ID))
}

// stop is when a silent device may have stopped.
func (e *Engine) stop(dev *devices.Device) span {
	last := e.seen.LastSeen(dev.ID)
	return span{last, e.heardAt(last).Add(e.traits(dev).Interval + e.cohort.Within)}
}

func (e *Engine) join(outage *alerts.Alert, dev *devices.Device) {
	if id := string(dev.ID); !slices.Contains(outage.Members, id) {
		e.amend(outage, func(a *alerts.Alert) { a.Members = append(slices.Clone(a.Members), id) })
	}
}

// isSilent says whether a device has missed a message and a half, and whether
// it can be said to be silent at all.
func (e *Engine) isSilent(dev *devices.Device, now time.Time) (silent, judged bool) {
	t, last := e.traits(dev), e.seen.LastSeen(dev.ID)
	if t.Interval <= 0 || t.Contract == devices.Event || last.IsZero() {
		return false, false
	}
	return now.Sub(e.heardAt(last)) > t.Interval+t.Interval/2, true
}

// openCohort opens the outage of a group if enough of it stopped at one time,
// dev among them.
func (e *Engine) openCohort(group string, dev *devices.Device, now time.Time) string {
	var stopped []stopping
	alive := 0
	for _, d := range e.grouped[group] {
		silent, judged := e.isSilent(d, now)
		switch {
		case silent:
			stopped = append(stopped, stopping{e.stop(d), d})
		case judged:
			alive++
		}
	}
	members, after, at := together(stopped)
	of := len(members) + after + alive
	if len(members) < e.cohort.Number || float64(len(members)) < e.cohort.Share*float64(of) || !slices.Contains(members, dev) {
		return ""
	}
	_, name, _ := strings.Cut(group, ":")
	a := &alerts.Alert{ID: uuid.Must(uuid.NewV7()).String(), Rule: alerts.CohortKind, RuleName: alerts.Name{VI: "Mất tín hiệu cả nhóm", EN: "Group outage"}, Kind: alerts.CohortKind,
		DeviceName: name, Severity: e.worstOf(members), State: alerts.Open, StartedAt: at.UTC(), DetectedAt: now.UTC().Truncate(time.Millisecond), Group: group, Of: of}
	a.Summary, a.SummaryEN = alerts.CohortSummary(group, len(members), of, at)
	a.Area, a.DeviceType = members[0].Area, string(members[0].Type)
	for _, d := range members {
		a.Members = append(a.Members, string(d.ID))
		if d.Area != a.Area {
			a.Area = ""
		}
		if string(d.Type) != a.DeviceType {
			a.DeviceType = ""
		}
	}
	if a.Area != "" && e.areas != nil {
		ref, _ := e.areas.Locate(nil, a.Area, a.StartedAt)
		a.AreaVersion = ref.String()
	}
	e.open[a.Key()], e.cohorts[a.ID] = a, a.Key()
	e.changed = append(e.changed, a)
	e.grouped = nil // the members are taken
	e.tag(a.Members, "", a.ID)
	return a.ID
}

// worstOf is the worst severity of the rules on the silence of devices.
func (e *Engine) worstOf(ds []*devices.Device) alerts.Severity {
	worst := len(alerts.Severities) - 1
	for _, r := range e.absence {
		if slices.ContainsFunc(ds, func(d *devices.Device) bool {
			return d.Type == r.DeviceType && (r.Device == "" || r.Device == d.ID)
		}) {
			worst = min(worst, slices.Index(alerts.Severities, r.Severity))
		}
	}
	return alerts.Severities[worst]
}

// tag moves the open alerts on the silence of members from one cohort to
// another; empty is none.
func (e *Engine) tag(members []string, from, to string) {
	for _, id := range members {
		for _, r := range e.absence {
			if a := e.open[r.ID+"|"+id+"|"+r.Fence]; a != nil && a.Cohort == from {
				e.amend(a, func(a *alerts.Alert) { a.Cohort = to })
			}
		}
	}
}

// judgeCohorts closes group outages whose members came back. Back is a group
// when fewer than half of the share that opened it are silent; the others then
// get the time of an interval to follow. Who does not is a matter of its own
// again, with a siren.
func (e *Engine) judgeCohorts(now time.Time) {
	for id, key := range e.cohorts {
		outage := e.open[key]
		var missing []string
		grace := e.cohort.Within
		for _, m := range outage.Members {
			dev, ok := e.reg.Get(devices.ID(m))
			if !ok || !dev.Life.Speaks() {
				continue
			}
			if silent, _ := e.isSilent(dev, now); silent || !e.seen.LastSeen(dev.ID).After(outage.StartedAt) {
				missing = append(missing, m)
				grace = max(grace, e.traits(dev).Interval+e.cohort.Within)
			}
		}
		if float64(len(missing)) >= e.cohort.Share/2*float64(len(outage.Members)) {
			delete(e.returning, id)
			continue
		}
		since, known := e.returning[id]
		if !known {
			since = now
			e.returning[id] = since
		}
		if len(missing) > 0 && now.Sub(since) < grace {
			continue
		}
		e.clear(outage, now, "")
		delete(e.cohorts, id)
		delete(e.returning, id)
		e.tag(missing, id, "")
	}
}

// stopping is a silent device and when it may have stopped.
type stopping struct {
	span
	dev *devices.Device
}

// together finds the instant at which the most devices may have stopped: those,
// and how many stopped after it.
func together(all []stopping) (members []*devices.Device, after int, at time.Time) {
	slices.SortFunc(all, func(a, b stopping) int { return a.from.Compare(b.from) })
	// The best instant is some device's last word. Who cannot have stopped so
	// late goes from the front, by when that was.
	ends := slices.Clone(all)
	slices.SortFunc(ends, func(a, b stopping) int { return a.to.Compare(b.to) })
	best, gone := 0, 0
	for i := range all {
		for gone < len(ends) && ends[gone].to.Before(all[i].from) {
			gone++
		}
		if n := i + 1 - gone; n >= best {
			best, at = n, all[i].from
		}
	}
	for i := range all {
		switch {
		case all[i].from.After(at):
			after++
		case !all[i].to.Before(at):
			members = append(members, all[i].dev)
		}
	}
	return members, after, at
}
