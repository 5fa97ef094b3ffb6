package web

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/devices/people"
	"haidang/ingest/latest"
)

// deviceHealth is how one device does, as the API shows it.
type deviceHealth struct {
	ID       devices.ID        `json:"id"`
	Type     devices.TypeID    `json:"type"`
	Name     string            `json:"name"`
	Area     string            `json:"area"`
	AreaName string            `json:"area_name"`
	Agency   string            `json:"agency,omitempty"`
	Vendor   string            `json:"vendor,omitempty"`
	Network  string            `json:"network,omitempty"`
	Gateway  string            `json:"gateway,omitempty"`
	Cohort   string            `json:"cohort,omitempty"`
	Firmware string            `json:"firmware,omitempty"`
	State    devices.Freshness `json:"state"`
	// Since is when it was last heard, or since when it speaks without a
	// silence; missing when it never spoke.
	Since      *time.Time `json:"since,omitempty"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	Connection string     `json:"connection"`
	// Timeout is after how many seconds without a word it is silent; 0: never.
	Timeout       float64                `json:"timeout_s"`
	Learned       bool                   `json:"timeout_learned"`
	Availability  *float64               `json:"availability,omitempty"`
	Lost          float64                `json:"lost_s"`
	SilentMetrics int                    `json:"silent_metrics"`
	Vitals        map[string]vitalView   `json:"vitals"`
	Numbering     healthView             `json:"numbering"`
	Metrics       map[string]metricState `json:"metrics,omitempty"`
	Over          map[string]*float64    `json:"availability_over,omitempty"`
	Outages       []outageView           `json:"outages,omitempty"`
}

// vitalView is a metric that tells of the device itself: its battery, its signal.
type vitalView struct {
	Value float64   `json:"value"`
	Unit  string    `json:"unit"`
	TS    time.Time `json:"ts"`
}

type metricState struct {
	State    devices.Freshness `json:"state"`
	LastSeen time.Time         `json:"last_seen"`
	Timeout  float64           `json:"timeout_s"`
	Learned  bool              `json:"timeout_learned"`
}

type outageView struct {
	SeenAt time.Time `json:"last_seen"`
	DueAt  time.Time `json:"due_at"`
	BackAt time.Time `json:"back_at"`
}

// vitals are the names under which devices and gateways report on themselves,
// with the unit where the type does not say it.
var vitals = map[string]string{
	"battery_pct": "%", "battery_v": "V", "battery": "%", "rssi": "dBm", "rssi_dbm": "dBm", "snr": "dB", "snr_db": "dB", "signal_pct": "%",
}

// silentAfter is from how many intervals on a device is silent; see
// devices.FreshnessAt.
const silentAfter = 3

func (s *Server) healthView(x *healthOf) deviceHealth {
	area, _ := s.Registry.Area(x.dev.Area)
	share := shareOf(x.availability)
	v := deviceHealth{ID: x.dev.ID, Type: x.dev.Type, Name: x.dev.Name, Area: x.dev.Area, AreaName: area.Name,
		Agency: x.dev.Agency, Vendor: x.dev.Vendor, Network: x.dev.Network, Gateway: string(x.dev.Gateway), Cohort: x.dev.Cohort, Firmware: cmp.Or(s.Commands.Firmware(x.dev.ID), x.dev.Firmware),
		State: x.state, Since: known(x.since), Connection: "unknown", Timeout: silentAfter * x.interval.Seconds(), Learned: x.learned,
		Availability: share, Lost: x.availability.Lost.Round(time.Second).Seconds(), SilentMetrics: x.silent, Vitals: map[string]vitalView{}}
	t, _ := s.Registry.Type(x.dev.Type)
	s.Tracker.Look(x.dev.ID, func(st *latest.State) {
		v.LastSeen = known(st.LastSeen)
		if st.Connection != "" {
			v.Connection = st.Connection
		}
		if st.LastFix != nil {
			v.Numbering = numbering(&st.Trust)
		}
		for name, unit := range vitals {
			newest, ok := st.Values[name]
			if !ok {
				continue
			}
			if t != nil {
				if m := t.Metric(name); m != nil {
					unit = m.Unit
				}
			}
			v.Vitals[name] = vitalView{newest.Number, unit, newest.FixTime}
		}
	})
	return v
}

// numbering is what a device's own numbers and clock say.
func numbering(t *latest.Trust) healthView {
	v := healthView{Gaps: t.Gaps, Missing: t.Missing, Restarts: t.Restarts}
	if ahead, ok := t.Skew(); ok {
		seconds := ahead.Round(time.Millisecond).Seconds()
		v.ClockAhead = &seconds
	}
	return v
}

// badness orders devices, the worst first: by availability, then by state, then
// those first that have been so for longest.
func badness(a, b *healthOf) int {
	if c := cmp.Compare(a.share, b.share); c != 0 {
		return c
	}
	if c := cmp.Compare(rank(a.state), rank(b.state)); c != 0 {
		return c
	}
	return a.since.Compare(b.since)
}

// rank orders states, the worst first.
func rank(f devices.Freshness) int {
	return slices.Index([]devices.Freshness{health.Dead, devices.Never, devices.Silent, devices.Late, devices.Live}, f)
}

// first are the n that stand first in order; those that are equal stay as they
// stand. It is quick where n is far smaller than there are.
func first[T any](xs []T, n int, order func(a, b *T) int) []*T {
	best, full := make([]*T, 0, min(4*n, len(xs))), false
	settle := func() {
		slices.SortStableFunc(best, order)
		best = best[:min(len(best), n)]
		full = len(best) == n
	}
	for i := range xs {
		if full && order(&xs[i], best[n-1]) >= 0 {
			continue
		}
		if best = append(best, &xs[i]); len(best) >= 4*n {
			settle()
		}
	}
	settle()
	return best
}

// listHealth answers how devices do, the worst first, or by id.
func (s *Server) listHealth(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := intParam(q.Get("limit"), "limit", 200, 1000)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	xs, _, err := s.healths(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	order := badness
	switch q.Get("sort") {
	case "", "worst":
	case "id":
		order = func(a, b *healthOf) int { return 0 } // as the registry lists them
	default:
		s.fail(w, r, &devices.FieldError{Field: "sort", Reason: fmt.Sprintf("%.20q is unknown; known are worst, id", q.Get("sort"))})
		return
	}
	if q.Get("export") == "csv" {
		s.exportHealth(w, first(xs, len(xs), order))
		return
	}
	// The order moves while one reads: the cursor is a place in it, not a device.
	from := 0
	if c := q.Get("cursor"); c != "" {
		if from, err = strconv.Atoi(c); err != nil || from < 0 {
			s.fail(w, r, &devices.FieldError{Field: "cursor", Reason: "send back the next of the page before"})
			return
		}
	}
	from = min(from, len(xs))
	page := first(xs, min(from+limit, len(xs)), order)[from:]
	items, next := make([]deviceHealth, len(page)), ""
	for i := range page {
		items[i] = s.healthView(page[i])
	}
	if from+len(page) < len(xs) {
		next = strconv.Itoa(from + len(page))
	}
	out := map[string]any{"items": items, "total": len(xs)}
	if next != "" {
		out["next"] = next
	}
	s.json(w, http.StatusOK, out)
}

// exportHealth writes the whole list as CSV, with a byte order mark, by which
// Excel knows that it is UTF-8.
func (s *Server) exportHealth(w http.ResponseWriter, xs []*healthOf) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="device-health.csv"`)
	w.Write([]byte("\uFEFF"))
	c := csv.NewWriter(w)
	c.Write([]string{"id", "name", "type", "area", "agency", "vendor", "network", "state", "since", "last_seen", "timeout_s", "availability", "lost_s", "silent_metrics", "seq_missing", "clock_ahead_s", "firmware"})
	for _, x := range xs {
		v := s.healthView(x)
		c.Write([]string{string(v.ID), plainCell(v.Name), string(v.Type), v.Area, plainCell(v.Agency), plainCell(v.Vendor), plainCell(v.Network), string(v.State), timeCell(v.Since), timeCell(v.LastSeen),
			numberCell(&v.Timeout), numberCell(v.Availability), numberCell(&v.Lost), strconv.Itoa(v.SilentMetrics), strconv.FormatInt(v.Numbering.Missing, 10), numberCell(v.Numbering.ClockAhead), plainCell(v.Firmware)})
	}
	c.Flush()
}

// plainCell keeps a spreadsheet from running a text as a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func timeCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func numberCell(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', -1, 64)
}

// maxOutages is how many of a device's outages are shown, the newest.
const maxOutages = 100

// getDeviceHealth answers all that is known of how one device does.
func (s *Server) getDeviceHealth(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := time.Now()
	var v deviceHealth
	over := map[string]*float64{}
	for name, length := range windows {
		rec, err := s.record(r.Context(), d.ID, now, length)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		x := s.judge(d, now, rec)
		over[name] = shareOf(x.availability)
		switch name {
		case "24h":
			outages := v.Outages
			v = s.healthView(&x)
			v.Outages = outages
		case "30d":
			os := rec.Outages[d.ID]
			v.Outages = []outageView{}
			for i := len(os) - 1; i >= max(0, len(os)-maxOutages); i-- {
				v.Outages = append(v.Outages, outageView{os[i].SeenAt, os[i].DueAt, os[i].BackAt})
			}
		}
	}
	v.Over, v.Metrics = over, map[string]metricState{}
	e := health.Expect(s.Registry, d)
	s.Tracker.Look(d.ID, func(st *latest.State) {
		for name, x := range st.Values {
			interval, learned := e.Effective(&x.Rhythm)
			v.Metrics[name] = metricState{stream(now, e, &x), x.ReceivedAt, silentAfter * interval.Seconds(), learned}
		}
	})
	s.json(w, http.StatusOK, v)
}
