package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/devices/people"
)

// deviceParams narrow every list of devices: the page's, the export's, that of
// labels.
var deviceParams = []string{"type", "area", "area_ended", "life", "state", "agency", "vendor", "network", "cohort", "gateway", "label", "q"}

// notRetired are the lives that a list has when none is asked for.
var notRetired = []devices.Life{devices.Pending, devices.Active, devices.Suspended}

// deviceQuery reads which devices are meant, by deviceParams and those of more.
func (s *Server) deviceQuery(r *http.Request, more ...string) (q devices.Query, v url.Values, err error) {
	if v, err = looseQuery(r, append(slices.Clone(deviceParams), more...)); err != nil {
		return q, v, err
	}
	q.Filter = devices.Filter{Type: devices.TypeID(v.Get("type")), Agency: v.Get("agency"), Vendor: v.Get("vendor"), Network: v.Get("network"), Cohort: v.Get("cohort"),
		Label: v.Get("label"), Query: v.Get("q"), Lives: notRetired}
	if area := v.Get("area"); area != "" {
		q.Areas = s.areasWithin(area)
	}
	if ended := v.Get("area_ended"); ended != "" {
		only, err := strconv.ParseBool(ended)
		if err != nil {
			return q, v, &devices.FieldError{Field: "area_ended", Reason: "it is true or false"}
		}
		q.Areas = s.areasEnded(q.Areas, only)
	}
	if id := v.Get("gateway"); id != "" {
		q.Gateway = devices.ID(id)
		if g, ok := s.Registry.Get(q.Gateway); ok {
			q.Gateway = g.ID
		}
	}
	switch life := devices.Life(v.Get("life")); {
	case life == "all":
		q.Lives = devices.Lives()
	case slices.Contains(devices.Lives(), life):
		q.Lives = []devices.Life{life}
	case life != "" && life != devices.Discovered:
		return q, v, &devices.FieldError{Field: "life", Reason: fmt.Sprintf("%.20q is unknown; known are discovered, pending, active, suspended, retired, all", life)}
	}
	if q.State = devices.Freshness(v.Get("state")); q.State != "" && !slices.Contains([]devices.Freshness{devices.Live, devices.Late, devices.Silent, devices.Never}, q.State) {
		return q, v, &devices.FieldError{Field: "state", Reason: fmt.Sprintf("%.20q is unknown; known are live, late, silent, never", q.State)}
	}
	now := time.Now()
	q.StateOf = func(d *devices.Device) devices.Freshness {
		return s.Tracker.Freshness(now, d.ID, health.Expect(s.Registry, d))
	}
	q.LastSeen = s.Tracker.LastSeen
	q.Sees = s.sees(r, people.DeviceRead)
	return q, v, nil
}

// areasWithin are the codes of an area and of those in it, as the tree is today,
// that devices serve.
func (s *Server) areasWithin(area string) []string {
	codes := []string{area}
	for _, code := range s.Registry.AreasInUse() {
		if code != area && code != "" && s.Areas.Within(code, area) {
			codes = append(codes, code)
		}
	}
	return codes
}

// areasEnded leaves of areas, or when there are none of all that devices serve,
// those that have ended; or, when not only those, the others.
func (s *Server) areasEnded(among []string, only bool) []string {
	if len(among) == 0 {
		among = s.Registry.AreasInUse()
	}
	codes := []string{noArea}
	for _, code := range among {
		a, _ := s.Registry.Area(code)
		if (a.Closed != "") == only {
			codes = append(codes, code)
		}
	}
	return codes
}

// noArea is no area's code: a filter by it alone finds nothing.
const noArea = "-"

// looseQuery is strictQuery that takes empty values for none: a form sends
// them.
func looseQuery(r *http.Request, known []string) (url.Values, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: the query cannot be read: %w", errBadRequest, err)
	}
	for name, values := range v {
		if len(values) == 1 && values[0] == "" {
			delete(v, name)
		}
	}
	r = r.Clone(r.Context())
	r.URL.RawQuery = v.Encode()
	return strictQuery(r, known)
}

// devicePage is a page of devices and how many there are on all.
type devicePage struct {
	list
	Total int `json:"total"`
}

func (s *Server) listDevices(w http.ResponseWriter, r *http.Request) {
	q, v, err := s.deviceQuery(r, "sort", "limit", "cursor")
	if err == nil {
		q.Limit, err = intParam(v.Get("limit"), "limit", 1000, 10_000)
	}
	if err == nil {
		q.Sort, q.Descending, err = sortParam(v.Get("sort"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q.After = v.Get("cursor")
	if devices.Life(v.Get("life")) == devices.Discovered {
		// They lie in no area yet.
		if err := s.may(r, people.DeviceRead, people.Scope{}); err != nil {
			s.fail(w, r, err)
			return
		}
		s.listStrangers(w, r, q)
		return
	}
	p, err := s.Registry.Page(q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now, items := time.Now(), make([]deviceView, len(p.Devices))
	for i, d := range p.Devices {
		items[i] = s.view(d, now)
	}
	s.json(w, http.StatusOK, devicePage{list{items, p.Next}, p.Total})
}

// sortParam reads an order; a minus before it turns it round.
func sortParam(v string) (order devices.Sort, descending bool, err error) {
	name, descending := strings.CutPrefix(v, "-")
	order = devices.Sort(name)
	if !slices.Contains([]devices.Sort{"", devices.ByID, devices.ByName, devices.ByLastSeen}, order) || v == "-" {
		return "", false, &devices.FieldError{Field: "sort", Reason: fmt.Sprintf("%.20q is unknown; known are id, name, last_seen, and each with - before it", v)}
	}
	return order, descending, nil
}

// strangerView is a device that speaks and that nobody registered.
type strangerView struct {
	ID       devices.ID   `json:"id"`
	Life     devices.Life `json:"life"`
	First    time.Time    `json:"first_seen"`
	Last     time.Time    `json:"last_seen"`
	Messages int          `json:"messages"`
	Source   string       `json:"source"`
	Sender   string       `json:"sender,omitempty"`
	Topic    string       `json:"topic"`
	Format   string       `json:"format,omitempty"`
}

// listStrangers lists devices that wait to be approved, those heard last first.
func (s *Server) listStrangers(w http.ResponseWriter, r *http.Request, q devices.Query) {
	offset := 0
	if q.After != "" {
		var err error
		if offset, err = strconv.Atoi(q.After); err != nil || offset < 0 {
			s.fail(w, r, &devices.FieldError{Field: "cursor", Reason: "this cursor was not given out by this list"})
			return
		}
	}
	known := func(id devices.ID) bool { _, ok := s.Registry.Get(id); return ok }
	found, total, err := s.DeadLetters.Strangers(r.Context(), strings.TrimSpace(q.Query), known, q.Limit, offset)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items, next := make([]strangerView, len(found)), ""
	for i, x := range found {
		items[i] = strangerView{x.ID, devices.Discovered, x.First, x.Last, x.Letters, x.Source, x.Sender, x.Topic, x.Format}
	}
	if offset+len(found) < total && len(found) > 0 {
		next = strconv.Itoa(offset + len(found))
	}
	s.json(w, http.StatusOK, devicePage{list{items, next}, total})
}
