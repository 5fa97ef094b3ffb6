package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"haidang/alerts"
	"haidang/devices"
	"haidang/devices/health"
)

const vesselRule = head + "  device_type: fishing_vessel\n  kind: absence\n  intervals: 3\n"

// harbour is n vessels of the network "thuraya" and as many of "vifish", each
// reporting every two hours at a minute of its own.
type harbour struct {
	*bench
	n       int
	network map[devices.ID]string
}

func newHarbour(t *testing.T, n int) *harbour {
	h := &harbour{bench: newBench(t, vesselRule), n: n, network: map[devices.ID]string{}}
	var ds []devices.Device
	for i := range n {
		for _, network := range []string{"thuraya", "vifish"} {
			id := devices.ID(fmt.Sprintf("%s-%02d", network, i))
			h.network[id] = network
			ds = append(ds, devices.Device{ID: id, Type: "fishing_vessel"})
		}
	}
	if err := h.reg.Upsert(context.Background(), ds); err != nil {
		t.Fatal(err)
	}
	h.bench.traits = func(d *devices.Device) health.Traits {
		return health.Traits{Expectation: health.Expectation{Interval: 2 * time.Hour}, Network: h.network[d.ID], Gateway: map[bool]string{true: "gw-1"}[h.network[d.ID] == "thuraya" && strings.HasSuffix(string(d.ID), "1")]}
	}
	h.restart()
	h.began = t0.Add(-24 * time.Hour)
	return h
}

// sail lets vessels report until end, beginning at start, both in minutes, and
// the clock tick, but for those that are out.
func (h *harbour) sail(start, end int, out func(devices.ID) bool) {
	h.t.Helper()
	for m := start; m <= end; m++ {
		for i := range h.n {
			for _, network := range []string{"thuraya", "vifish"} {
				id := devices.ID(fmt.Sprintf("%s-%02d", network, i))
				if (m-i*120/h.n)%120 == 0 && !out(id) {
					h.seen[id] = t0.Add(time.Duration(m) * time.Minute)
				}
			}
		}
		if err := h.Tick(context.Background(), t0.Add(time.Duration(m)*time.Minute)); err != nil {
			h.t.Fatal(err)
		}
	}
}

// alertsNow are those of groups and of devices.
func (h *harbour) alertsNow(state alerts.State) (groups, own []*alerts.Alert) {
	h.t.Helper()
	all, _, err := h.store.List(context.Background(), alerts.Filter{State: state, Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, a := range all {
		if a.Kind == alerts.CohortKind {
			groups = append(groups, a)
		} else {
			own = append(own, a)
		}
	}
	return groups, own
}

func nobody(devices.ID) bool { return false }

// A satellite that fails is one thing, whatever vessel is first missed; whoever
// does not come back with the others is a matter of its own.
func TestNetworkThatFailsIsOneOutage(t *testing.T) {
	h := newHarbour(t, 20)
	moored := func(id devices.ID) bool { return id == "thuraya-03" }
	h.sail(-240, -1, moored)
	h.seen["thuraya-03"] = t0.Add(-5 * 24 * time.Hour) // in port for days
	h.sail(0, 0, moored)
	if groups, own := h.alertsNow(alerts.Open); len(groups) != 0 || len(own) != 1 || own[0].Cohort != "" {
		t.Fatalf("before: %d groups, %d alerts", len(groups), len(own))
	}
	const spared = "thuraya-05"
	failed := func(id devices.ID) bool { return moored(id) || h.network[id] == "thuraya" && id != spared }
	h.sail(1, 600, failed)
	groups, own := h.alertsNow(alerts.Open)
	if len(groups) != 1 || len(own) != 19 {
		t.Fatalf("%d groups, %d alerts", len(groups), len(own))
	}
	g := groups[0]
	if g.Group != "network:thuraya" || len(g.Members) != 18 || g.Of != 19 || slices.Contains(g.Members, "thuraya-03") ||
		g.Severity != alerts.Critical || g.StartedAt.After(t0) || g.StartedAt.Before(t0.Add(-10*time.Minute)) || g.DeviceType != "fishing_vessel" {
		t.Errorf("the outage is %+v", g)
	}
	for _, a := range own {
		if (a.Cohort == g.ID) != (a.Device != "thuraya-03") {
			t.Errorf("%s has cohort %q", a.Device, a.Cohort)
		}
	}
	h.restart() // as after a kill
	h.began = t0.Add(-24 * time.Hour)
	// One of another network, and one that the fault had spared, stop meanwhile:
	// each for a reason of its own.
	lone := []string{"vifish-07", spared}
	h.sail(601, 1200, func(id devices.ID) bool { return failed(id) || slices.Contains(lone, string(id)) })
	groups, own = h.alertsNow(alerts.Open)
	own = slices.DeleteFunc(own, func(a *alerts.Alert) bool { return !slices.Contains(lone, a.Device) })
	if len(groups) != 1 || len(groups[0].Members) != 18 || len(own) != 2 || own[0].Cohort != "" || own[1].Cohort != "" {
		t.Errorf("with lone silences: %d groups, %d alerts of their own", len(groups), len(own))
	}
	// One that came back for a moment and went again is still part of it.
	h.seen["thuraya-11"] = t0.Add(1201 * time.Minute)
	h.sail(1201, 1700, failed)
	if _, own := h.alertsNow(alerts.Open); !slices.ContainsFunc(own, func(a *alerts.Alert) bool { return a.Device == "thuraya-11" && a.Cohort == g.ID }) {
		t.Error("one that flickers is no longer part of the outage")
	}
	// All come back but one.
	h.sail(1701, 2000, func(id devices.ID) bool { return moored(id) || id == "thuraya-11" })
	groups, own = h.alertsNow(alerts.Open)
	if len(groups) != 0 || len(own) != 2 {
		t.Fatalf("after it: %d groups, %d alerts", len(groups), len(own))
	}
	for _, a := range own {
		if a.Cohort != "" {
			t.Errorf("%s is still part of an outage that is over", a.Device)
		}
	}
	if groups, _ := h.alertsNow(alerts.Closed); len(groups) != 1 || groups[0].ClearedAt == nil {
		t.Errorf("closed outages: %v", groups)
	}
}

// A gateway's fault is not its network's.
func TestGatewayThatFailsIsNotTheNetwork(t *testing.T) {
	h := newHarbour(t, 40) // four of them behind gw-1
	h.sail(-240, 0, nobody)
	h.sail(1, 600, func(id devices.ID) bool {
		return h.network[id] == "thuraya" && strings.HasSuffix(string(id), "1")
	})
	groups, own := h.alertsNow(alerts.Open)
	if len(groups) != 1 || groups[0].Group != "gateway:gw-1" || len(groups[0].Members) != 4 || len(own) != 4 {
		t.Errorf("groups %v, %d alerts", groups, len(own))
	}
}

// Vessels that stop one after the other, each for a reason of its own, are no
// outage.
func TestSilencesApartAreNoOutage(t *testing.T) {
	h := newHarbour(t, 6)
	h.sail(-240, 0, nobody)
	stops := map[devices.ID]int{}
	for i := range 6 {
		stops[devices.ID(fmt.Sprintf("thuraya-%02d", i))] = i * 180
	}
	for i := range 7 {
		h.sail(i*180+1, (i+1)*180, func(id devices.ID) bool { at, stop := stops[id]; return stop && at <= i*180 })
	}
	h.sail(1261, 1700, func(id devices.ID) bool { _, stop := stops[id]; return stop })
	if groups, own := h.alertsNow(alerts.Open); len(groups) != 0 || len(own) != 6 {
		t.Errorf("%d groups (%+v), %d alerts", len(groups), groups, len(own))
	}
}

// A device of events is not silent for want of data.
func TestDeviceOfEventsIsNotAbsent(t *testing.T) {
	h := newHarbour(t, 1)
	h.bench.traits = func(d *devices.Device) health.Traits {
		return health.Traits{Expectation: health.Expectation{Interval: 2 * time.Hour, Contract: devices.Event}}
	}
	h.restart()
	h.began = t0
	h.seen["thuraya-00"] = t0
	if err := h.Tick(context.Background(), t0.Add(100*time.Hour)); err != nil {
		t.Fatal(err)
	}
	h.want()
}
