package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/devices/people"
	"haidang/ingest/latest"
)

// windows are the spans over which availability is asked for.
var windows = map[string]time.Duration{"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// windowParam reads a window; a day when nothing is said.
func windowParam(r *http.Request, now time.Time) (health.Span, error) {
	name := r.URL.Query().Get("window")
	if name == "" {
		name = "24h"
	}
	w, ok := windows[name]
	if !ok {
		return health.Span{}, &devices.FieldError{Field: "window", Reason: fmt.Sprintf("%.20q is unknown; known are 24h, 7d, 30d", name)}
	}
	return health.Span{From: now.Add(-w), To: now}, nil
}

// healthOf is how one device does.
type healthOf struct {
	dev   *devices.Device
	state devices.Freshness
	// since is when the device was last heard, or for one that speaks since when
	// it has.
	since        time.Time
	interval     time.Duration
	learned      bool
	availability health.Availability
	share        float64 // of it; 2 when nothing was counted, which is the last of all
	silent       int     // metrics that no longer come though the device speaks
}

// judge says how a device does now and did in the record's window.
func (s *Server) judge(d *devices.Device, now time.Time, rec *health.Record) healthOf {
	x, due := s.judgeNow(d, now)
	x.availability = rec.Of(d.ID, d.CreatedAt, due)
	if share, ok := x.availability.Share(); ok {
		x.share = share
	}
	return x
}

// judgeNow says how a device does now, and since when it has not spoken though it
// should have; zero if it did.
func (s *Server) judgeNow(d *devices.Device, now time.Time) (x healthOf, due time.Time) {
	x = healthOf{dev: d, share: 2}
	declared := health.Expect(s.Registry, d)
	s.Tracker.Look(d.ID, func(st *latest.State) {
		x.interval, x.learned = declared.Effective(&st.Rhythm)
		if declared.Contract == devices.Event {
			x.state = health.JudgeConnection(now, st.Connection, st.ConnectionAt, st.LastSeen)
			due = st.ConnectionAt
		} else {
			x.state = health.Judge(now, st.LastSeen, x.interval)
			due = st.LastSeen.Add(x.interval)
		}
		switch x.state {
		case devices.Live:
			x.since, due = st.Since, time.Time{}
		case devices.Late:
			x.since, due = st.LastSeen, time.Time{}
		case devices.Never:
			due = d.CreatedAt
		default:
			x.since = st.LastSeen
		}
		if x.state == devices.Live {
			for _, v := range st.Values {
				if stream(now, declared, &v) == devices.Silent {
					x.silent++
				}
			}
		}
	})
	return x, due
}

// HealthCounts are how many devices in service do how now.
func (s *Server) HealthCounts() map[devices.Freshness]int {
	counts, now := map[devices.Freshness]int{}, time.Now()
	for _, d := range s.Registry.List(devices.Filter{}) {
		x, _ := s.judgeNow(d, now)
		counts[x.state]++
	}
	return counts
}

// stream says how one metric does.
func stream(now time.Time, e health.Expectation, v *latest.LatestValue) devices.Freshness {
	interval, _ := e.Effective(&v.Rhythm)
	return health.Judge(now, v.ReceivedAt, interval)
}

// healths judges what the request's filter lets through.
func (s *Server) healths(r *http.Request) (xs []healthOf, w health.Span, err error) {
	now, q := time.Now(), r.URL.Query()
	if w, err = windowParam(r, now); err != nil {
		return nil, w, err
	}
	rec, err := s.Health.Record(r.Context(), w, "")
	if err != nil {
		return nil, w, err
	}
	inside, agency, vendor, state, sees := s.insideOf(q.Get("area")), q.Get("agency"), q.Get("vendor"), q.Get("state"), s.sees(r, people.DeviceRead)
	ds := s.Registry.List(devices.Filter{Type: devices.TypeID(q.Get("type")), Query: q.Get("q")})
	xs = make([]healthOf, 0, len(ds))
	for _, d := range ds {
		if !inside(d.Area) || !is(agency, d.Agency) || !is(vendor, d.Vendor) || sees != nil && !sees(d) {
			continue
		}
		if x := s.judge(d, now, rec); is(state, string(x.state)) {
			xs = append(xs, x)
		}
	}
	return xs, w, nil
}

// insideOf says which codes lie in an area, if one is asked for; each is looked
// at once.
func (s *Server) insideOf(area string) func(code string) bool {
	known := map[string]bool{}
	return func(code string) bool {
		if is(area, code) || area == "-" {
			return is(area, code)
		}
		in, looked := known[code]
		if !looked {
			in = s.Areas.Within(code, area)
			known[code] = in
		}
		return in
	}
}

// is says whether a filter, if there is one, lets a value through; "-" asks for
// what is not known.
func is(filter, value string) bool {
	return filter == "" || filter == value || filter == "-" && value == ""
}

// healthGroup is how the devices of one agency, vendor, area or type do.
type healthGroup struct {
	Key          string   `json:"key"`
	Name         string   `json:"name"`
	NameEN       string   `json:"name_en"`
	Devices      int      `json:"devices"`
	Live         int      `json:"live"`
	Late         int      `json:"late"`
	Silent       int      `json:"silent"`
	Dead         int      `json:"dead"`
	Never        int      `json:"never"`
	Availability *float64 `json:"availability,omitempty"`

	sum health.Availability
}

func (g *healthGroup) count(x *healthOf) {
	g.Devices++
	switch x.state {
	case devices.Live:
		g.Live++
	case devices.Late:
		g.Late++
	case devices.Silent:
		g.Silent++
	case health.Dead:
		g.Dead++
	default:
		g.Never++
	}
	g.sum.Add(x.availability)
}

// getHealth answers how groups of devices do, the worst first.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request) {
	by := r.URL.Query().Get("by")
	if by == "" {
		by = "type"
	}
	keyOf := groupings[by]
	if keyOf == nil {
		s.fail(w, r, &devices.FieldError{Field: "by", Reason: fmt.Sprintf("%.20q is unknown; known are agency, vendor, area, type", by)})
		return
	}
	xs, window, err := s.healths(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	groups, all := map[string]*healthGroup{}, healthGroup{}
	for i := range xs {
		x := &xs[i]
		key := keyOf(x)
		g := groups[key]
		if g == nil {
			vi, en := s.nameOf(by, key)
			g = &healthGroup{Key: key, Name: vi, NameEN: en}
			groups[key] = g
		}
		g.count(x)
		all.count(x)
	}
	all.Availability = shareOf(all.sum)
	items := make([]*healthGroup, 0, len(groups))
	for _, g := range groups {
		g.Availability = shareOf(g.sum)
		items = append(items, g)
	}
	slices.SortFunc(items, func(a, b *healthGroup) int {
		if c := compareShares(a.Availability, b.Availability); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	s.json(w, http.StatusOK, map[string]any{"items": items, "all": all, "by": by, "from": window.From.UTC(), "to": window.To.UTC()})
}

// groupings say of which group a device is.
var groupings = map[string]func(*healthOf) string{
	"agency": func(x *healthOf) string { return x.dev.Agency },
	"vendor": func(x *healthOf) string { return x.dev.Vendor },
	"area":   func(x *healthOf) string { return x.dev.Area },
	"type":   func(x *healthOf) string { return string(x.dev.Type) },
}

// nameOf is a group's name in both languages; its key when it has none.
func (s *Server) nameOf(by, key string) (vi, en string) {
	switch by {
	case "agency":
		for _, a := range s.Registry.Agencies() {
			if a.ID == key {
				return a.Name, a.NameEN
			}
		}
	case "area":
		if a, ok := s.Registry.Area(key); ok {
			return a.Name, a.NameEN
		}
	case "type":
		if t, ok := s.Registry.Type(devices.TypeID(key)); ok {
			return t.NameVI, t.NameEN
		}
	}
	return key, key
}

func shareOf(a health.Availability) *float64 {
	if share, ok := a.Share(); ok {
		return &share
	}
	return nil
}

// compareShares puts the worst first and what is not known last.
func compareShares(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil || *a < *b:
		return -1
	case *a > *b:
		return 1
	}
	return 0
}

// record is what the availability of one device within a window is made of.
func (s *Server) record(ctx context.Context, id devices.ID, now time.Time, length time.Duration) (*health.Record, error) {
	return s.Health.Record(ctx, health.Span{From: now.Add(-length), To: now}, id)
}
