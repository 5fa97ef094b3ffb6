package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haidang/alerts"
	"haidang/devices/areas"
	"haidang/ingest/reports"
)

type statsByArea struct {
	Map       areas.Day
	Items     []areaStats
	Elsewhere areaCounts
	Total     areaCounts
}

func (s statsByArea) sum() (n areaCounts) {
	n = s.Elsewhere
	for _, i := range s.Items {
		n.Alerts, n.Reports, n.WorkOrders = n.Alerts+i.Alerts, n.Reports+i.Reports, n.WorkOrders+i.WorkOrders
	}
	return n
}

// The same query on the maps of 30 June and 1 July 2025 gives the same total,
// and the places of things decide in which part of a merged province they are.
func TestStatsKeepTheTotalOnEveryMap(t *testing.T) {
	h := newHouse(t, nil)
	report := func(place string) string {
		var r reports.Report
		if res := h.call("", "POST", "/api/v1/reports", `{"category":"khac","description":"x",`+place+`}`, &r); res.StatusCode != http.StatusCreated {
			t.Fatal(res.Status)
		}
		return r.Code
	}
	first := report(`"lat":17.47,"lon":106.5`) // in what was Quảng Bình
	report(`"lat":17.47,"lon":106.5`)
	report(`"lat":16.75,"lon":107`) // in what was Quảng Trị
	report(`"address":"Đồng Hới"`)
	alert := h.raiseAlert()
	h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","report":"`+first+`"}`, nil)
	h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","alert":"`+alert+`"}`, nil)

	want := areaCounts{Alerts: 1, Reports: 4, WorkOrders: 2}
	for day, byCode := range map[string]map[string]areaCounts{
		"2025-06-30": {"dong-hoi": {1, 0, 1}, "quang-binh": {0, 2, 1}, "quang-tri": {0, 1, 0}},
		"2025-07-01": {"dong-hoi": {1, 0, 1}, "quang-tri": {0, 3, 1}},
	} {
		var got statsByArea
		h.call("viewer", "GET", "/api/v1/stats/areas?map="+day, "", &got)
		if got.Total != want || got.sum() != want || got.Elsewhere != (areaCounts{Reports: 1}) || string(got.Map) != day || len(got.Items) != len(byCode) {
			t.Errorf("on %s: %+v", day, got)
		}
		for _, i := range got.Items {
			if i.areaCounts != byCode[i.Area] {
				t.Errorf("on %s %s has %+v, want %+v", day, i.Area, i.areaCounts, byCode[i.Area])
			}
		}
	}
	var none statsByArea
	h.call("viewer", "GET", "/api/v1/stats/areas?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z", "", &none)
	if none.Total != (areaCounts{}) || len(none.Items) != 0 {
		t.Errorf("of another time: %+v", none)
	}
}

// What was counted in an area is counted too in those that it lay in, on the
// chosen map, and by level; the total stays, on 30 June and 1 July 2025.
func TestStatsRollUp(t *testing.T) {
	h := newHouse(t, nil)
	times := []string{"2025-06-30T16:59:59Z", "2025-06-30T17:00:00Z"} // the last second of the old map, the first of the new
	for i, refs := range [][]string{{"dong-hoi", "le-thuy", "nui-thanh", "quang-tri", ""}, {"dong-hoi@2025-07-01", "con-co@2025-07-01", "quang-tri@2025-07-01"}} {
		at, err := time.Parse(time.RFC3339, times[i])
		if err != nil {
			t.Fatal(err)
		}
		for n, ref := range refs {
			h.raise(func(a *alerts.Alert) {
				a.ID, a.Rule = fmt.Sprint("x", i, n), fmt.Sprint("x", i, n)
				a.StartedAt, a.Area, a.AreaVersion, a.Lat, a.Lon = at, areas.ParseRef(ref).Code, ref, nil, nil
			})
		}
	}
	type counts struct{ own, whole float64 }
	for _, c := range []struct {
		query     string
		want      map[string]counts
		elsewhere float64
	}{
		// Of what was in the new Quảng Trị, half is shared out to each of its two predecessors.
		{"map=2025-06-30", map[string]counts{"dong-hoi": {2, 2}, "le-thuy": {1, 1}, "nui-thanh": {1, 1}, "quang-binh": {1, 4}, "quang-nam": {0, 1}, "quang-tri": {2, 2}}, 1},
		{"map=2025-07-01", map[string]counts{"dong-hoi": {2, 2}, "le-thuy": {1, 1}, "con-co": {1, 1}, "quang-tri": {2, 6}, "da-nang": {1, 1}}, 1},
		{"map=2025-06-30&level=province", map[string]counts{"quang-binh": {4, 4}, "quang-tri": {2, 2}, "quang-nam": {1, 1}}, 1},
		{"map=2025-07-01&level=T%E1%BB%89nh", map[string]counts{"quang-tri": {6, 6}}, 2}, // Đà Nẵng is a city
		{"map=2025-07-01&level=city", map[string]counts{"da-nang": {1, 1}}, 7},
		{"map=2025-06-30&level=ward", map[string]counts{}, 8},
	} {
		var got statsByArea
		h.call("viewer", "GET", "/api/v1/stats/areas?from=2025-06-01T00:00:00Z&to=2025-08-01T00:00:00Z&"+c.query, "", &got)
		if len(got.Items) != len(c.want) || got.Elsewhere.Alerts != c.elsewhere || got.Total.Alerts != 8 || got.sum().Alerts != 8 {
			t.Errorf("%s: %+v", c.query, got)
		}
		for _, x := range got.Items {
			if want := c.want[x.Area]; x.Alerts != want.own || x.Whole.Alerts != want.whole {
				t.Errorf("%s: %s has %g, with all in it %g; want %+v", c.query, x.Area, x.Alerts, x.Whole.Alerts, want)
			}
		}
	}
	var p problem
	if res := h.call("viewer", "GET", "/api/v1/stats/areas?level=street", "", &p); res.StatusCode != 422 || p.Errors[0].Field != "level" {
		t.Errorf("%d %+v", res.StatusCode, p)
	}
}

// Events carry the area of their day, of a device that was moved since the one
// that it was in.
func TestEventsHaveTheAreaOfTheirDay(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"cam","type":"traffic_camera","area":"dong-hoi"}`, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"boat","type":"fishing_vessel","area":"bien-quang-binh"}`, nil)
	at := now()
	say := func(id, at, more string) {
		t.Helper()
		if res := h.call("operator", "POST", "/api/v1/devices/"+id+"/events", `{"ts":"`+at+`","type":"note"`+more+`}`, nil); res.StatusCode != 202 {
			t.Fatal(res.Status)
		}
	}
	say("cam", at, "")
	say("boat", at, `,"lat":15.6,"lon":108.2`)
	time.Sleep(10 * time.Millisecond)
	h.call("operator", "PATCH", "/api/v1/devices/cam", `{"area":"le-thuy"}`, nil, "If-Match", "*")
	time.Sleep(10 * time.Millisecond)
	say("cam", now(), "")
	for id, want := range map[string][]string{"cam": {"dong-hoi@2025-07-01", "le-thuy@2025-07-01"}, "boat": {"da-nang@2025-07-01"}} {
		var page struct{ Items []eventView }
		h.call("viewer", "GET", "/api/v1/devices/"+id+"/events", "", &page)
		if len(page.Items) != len(want) {
			t.Fatalf("%s: %+v", id, page.Items)
		}
		for i, e := range page.Items {
			if e.AreaVersion != want[i] {
				t.Errorf("%s, event %d: %s, want %s", id, i, e.AreaVersion, want[i])
			}
		}
	}
}

// Readings carry the area of where and when they were measured.
func TestReadingsHaveTheAreaOfTheirDay(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"boat","type":"fishing_vessel","area":"bien-quang-binh"}`, nil)
	now := time.Now().UTC().Truncate(time.Second).Format(time.RFC3339)
	h.call("operator", "POST", "/api/v1/devices/boat/readings", `[{"ts":"`+now+`","values":{"speed_kn":1},"lat":15.6,"lon":108.2}]`, nil)
	h.eventually("the boat is known to have moved", func() bool {
		var d deviceView
		h.call("viewer", "GET", "/api/v1/devices/boat", "", &d)
		return d.AreaVersion == "da-nang@2025-07-01" && d.Area == "bien-quang-binh" && d.AreaName == "Vùng biển Quảng Bình"
	})
	var page struct{ Items []readingView }
	h.call("viewer", "GET", "/api/v1/devices/boat/readings", "", &page)
	if len(page.Items) != 1 || page.Items[0].AreaVersion != "da-nang@2025-07-01" {
		t.Errorf("%+v", page)
	}
}

func TestAreasRefuseWhatTheyDoNotUnderstand(t *testing.T) {
	h := newHouse(t, nil)
	for path, field := range map[string]string{
		"/api/v1/areas?at=yesterday": "at", "/api/v1/areas?type=street": "type", "/api/v1/areas?limit=0": "limit", "/api/v1/areas/quang-tri?at=1": "at",
		"/api/v1/areas/at?lat=91&lon=106": "lat", "/api/v1/areas/at?lat=17": "lon", "/api/v1/areas/at?lat=NaN&lon=106": "lat", "/api/v1/stats/areas?map=x": "map",
		"/api/v1/stats/areas?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": "from", "/api/v1/agencies?export=xls": "export",
	} {
		var p problem
		if res := h.call("viewer", "GET", path, "", &p); res.StatusCode != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v", path, res.StatusCode, p)
		}
	}
	for _, path := range []string{"/api/v1/areas/nowhere", "/api/v1/areas/quang-binh", "/api/v1/areas/at?lat=9&lon=101", "/api/v1/agencies/nobody"} {
		if res := h.call("viewer", "GET", path, "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestImportOverHTTP(t *testing.T) {
	h := newHouse(t, nil)
	const file = "code,name,type,parent,valid_from\nw-1,Nam Lý,Phường,quang-tri,2025-07-01\n"
	var p struct {
		Applied bool
		areas.Preview
	}
	h.call("operator", "POST", "/api/v1/areas/import", strings.Replace(file, "Phường", "?", 1), &p)
	if p.Applied || p.Token != "" || len(p.Errors) != 1 || p.Errors[0].Row != 2 || p.Errors[0].Field != "type" {
		t.Errorf("%+v", p)
	}
	var fault problem
	if res := h.call("operator", "POST", "/api/v1/areas/import?preview=", strings.Replace(file, "Phường", "?", 1), &fault); res.StatusCode != http.StatusUnprocessableEntity || len(fault.Errors) != 1 || !strings.HasPrefix(fault.Errors[0].Detail, "row 2: ") {
		t.Errorf("%d %+v", res.StatusCode, fault)
	}
	p.Preview = areas.Preview{}
	h.call("operator", "POST", "/api/v1/areas/import", file, &p)
	if res := h.call("operator", "POST", "/api/v1/areas/import?preview=made-up", file, nil); res.StatusCode != http.StatusConflict {
		t.Errorf("a token made up: %d", res.StatusCode)
	}
	if res := h.call("viewer", "POST", "/api/v1/areas/import?preview="+p.Token, file, nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer: %d", res.StatusCode)
	}
	h.call("operator", "POST", "/api/v1/areas/import?preview="+p.Token, file, &p)
	var d areaDetail
	if h.call("viewer", "GET", "/api/v1/areas/w-1", "", &d); !p.Applied || d.Area.Name != "Nam Lý" || d.Area.ParentName != "Quảng Trị" || len(d.Ancestors) != 1 {
		t.Errorf("%+v, %+v", p, d)
	}
}

// An agency that reports or their kinds name is retired, not deleted; it is then
// given nothing new.
func TestAgencyInUseIsRetired(t *testing.T) {
	h := newHouse(t, nil)
	var r reports.Report
	h.call("", "POST", "/api/v1/reports", `{"category":"khac","description":"x","address":"y"}`, &r)
	h.call("operator", "POST", "/api/v1/agencies", `{"id":"doi-1","name":"Đội 1"}`, nil)
	assign := func(as string) int {
		return h.call("operator", "POST", "/api/v1/reports/"+r.Code+"/assign", `{"agency":"`+as+`"}`, nil).StatusCode
	}
	if status := assign("doi-1"); status != http.StatusOK {
		t.Fatalf("assigned to a new agency: %d", status)
	}
	for _, id := range []string{"doi-1", "so-y-te"} { // a report, a kind of report
		if res := h.call("operator", "DELETE", "/api/v1/agencies/"+id, "", nil); res.StatusCode != http.StatusConflict {
			t.Errorf("%s was deleted: %d", id, res.StatusCode)
		}
	}
	h.call("operator", "PUT", "/api/v1/agencies/doi-1", `{"name":"Đội 1","retired":true}`, nil)
	if status := assign("doi-1"); status != http.StatusUnprocessableEntity {
		t.Errorf("assigned to a retired one: %d", status)
	}
	h.call("", "GET", "/api/v1/reports/"+r.Code, "", &r)
	if r.AgencyName != "Đội 1" {
		t.Errorf("the report lost the name: %+v", r)
	}
	if res := h.call("viewer", "GET", "/api/v1/agencies?export=csv", "", nil); res.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("export: %v", res.Header)
	}
}
