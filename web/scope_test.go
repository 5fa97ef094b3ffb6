package web

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/websocket"

	"haidang/alerts"
	"haidang/devices/people"
)

// within seeds one thing of each kind in an area, all with mark in its id or its
// words, and returns what to fill routes with.
func (h *house) within(mark, area, place string) map[string]string {
	h.t.Helper()
	do := func(method, path, body string, into any, heads ...string) {
		h.t.Helper()
		if res := h.call("admin", method, path, body, into, heads...); res.StatusCode/100 != 2 {
			h.t.Fatalf("%s %s: %s", method, path, res.Status)
		}
	}
	dev := mark + "-cam"
	do("POST", "/api/v1/devices", fmt.Sprintf(`{"id":%q,"type":"air_station","name":"Trạm %s","area":%q,%s,"network":"%s-net","vendor":"%s-vendor","agency":""}`, dev, mark, area, place, mark, mark), nil)
	do("POST", "/api/v1/devices/"+dev+"/readings", `{"values":{"pm25":3}}`, nil)
	do("POST", "/api/v1/devices/"+dev+"/events", fmt.Sprintf(`{"type":"note","data":{"text":%q}}`, mark), nil)
	h.call("admin", "POST", "/api/v1/devices/"+dev+"/readings", `{"values":{"`+mark+`":"x"}}`, nil) // a dead letter
	h.call("admin", "POST", "/api/v1/formats/plain", mark+"-stranger pm25 1", nil)
	var cmd, batch struct{ ID string }
	do("POST", "/api/v1/devices/"+dev+"/commands", fmt.Sprintf(`{"name":"restart","why":%q}`, mark), &cmd)
	do("POST", "/api/v1/commands", fmt.Sprintf(`{"name":"identify","why":%q,"filter":{"devices":[%q]}}`, mark, dev), &batch)
	do("PUT", "/api/v1/devices/"+dev+"/config", fmt.Sprintf(`{"desired":{"site":%q}}`, mark), nil)
	h.raise(func(a *alerts.Alert) {
		a.ID, a.Rule, a.Device, a.DeviceName, a.Area, a.AreaVersion, a.Summary = mark+"-alert", mark, dev, mark, area, area+"@2025-07-01", mark
	})
	var rep struct{ Code string }
	do("POST", "/api/v1/reports", fmt.Sprintf(`{"category":"khac","description":"Ổ gà %s",%s}`, mark, place), &rep)
	var order struct{ ID string }
	do("POST", "/api/v1/work-orders", fmt.Sprintf(`{"crew":"crew-1","report":%q,"title":%q}`, rep.Code, mark), &order)
	do("POST", "/api/v1/work-orders", fmt.Sprintf(`{"crew":"crew-1","alert":"%s-alert","title":%q}`, mark, mark), &order)
	return map[string]string{"device": dev, "command": cmd.ID, "batch": batch.ID, "alert": mark + "-alert", "code": rep.Code, "order": order.ID}
}

// fill is a route with the ids of things in the place of its parameters, and
// with what it has to be asked for.
func fill(route string, of map[string]string) string {
	id := of["device"]
	switch {
	case strings.Contains(route, "/alerts/"):
		id = of["alert"]
	case strings.Contains(route, "/work-orders/"):
		id = of["order"]
	case strings.Contains(route, "/dead-letters/"):
		id = "1"
	case strings.Contains(route, "/device-types/"):
		id = "air_station"
	case strings.Contains(route, "/agencies/"):
		id = "so-xay-dung"
	}
	code := of["code"]
	if strings.Contains(route, "/areas/") {
		code = "quang-tri"
	}
	path := strings.NewReplacer("{id}", id, "{code}", code, "{command}", of["command"], "{batch}", of["batch"], "{name}", "lan", "{secret}", "x", "{file}", "x.jpg", "{key}", "x").Replace(route)
	switch {
	case strings.HasSuffix(path, "/series"), strings.HasSuffix(path, "/rollups"):
		path += "?metric=pm25"
	case strings.HasSuffix(path, "/areas/at"):
		path += "?lat=17.3&lon=106.5"
	}
	return path
}

// Who may do everything in one area, and nothing elsewhere, is shown nothing of
// what lies elsewhere: by no route, list, file or channel.
func TestNothingOfAnotherAreaIsShown(t *testing.T) {
	h := newHouse(t, withFormats)
	in := h.within("trong-kia", "dong-hoi", `"lat":17.47,"lon":106.6`)
	out := h.within("ngoai-kia", "da-nang", `"lat":15.6,"lon":108.2`)
	var both struct {
		ID    string
		Total int
	}
	h.call("admin", "POST", "/api/v1/commands", fmt.Sprintf(`{"name":"identify","filter":{"devices":[%q,%q]}}`, in["device"], out["device"]), &both)
	h.raise(func(a *alerts.Alert) {
		a.ID, a.Rule, a.Kind, a.Device, a.Area, a.AreaVersion, a.Group, a.Of = "nhom", alerts.CohortKind, alerts.CohortKind, "", "", "", "network:chung", 31
		a.DeviceName, a.Members = "chung", []string{in["device"], out["device"]}
		a.Summary, a.SummaryEN = alerts.CohortSummary(a.Group, 2, 31, a.StartedAt)
	})
	h.call("admin", "POST", "/api/v1/crews/crew-2/position", `{"lat":15.6,"lon":108.2}`, nil)
	if _, err := h.srv.People.PutRole(t.Context(), people.Role{ID: "all_of_it", Name: people.Name{VI: "Tất cả"}, Actions: people.Actions}); err != nil {
		t.Fatal(err)
	}
	cookie := h.account("lan", people.Grant{Role: "all_of_it", Area: "quang-tri"})
	read := func(path string) (int, string) {
		t.Helper()
		rq, err := http.NewRequest("GET", h.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		rq.Header.Set("Cookie", cookie)
		res, err := http.DefaultTransport.RoundTrip(rq)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	shows := func(body string) bool { return strings.Contains(strings.ToLower(body), "ngoai-kia") }
	var asked int
	// A report is read by everybody who has its code; it has no list here. What
	// waits for a device only itself is told.
	open := []string{"/api/v1/reports/{code}", "/openapi.json", "/osmand", "/osmand/{secret}", "/ws", "/api/v1/devices/{id}/commands/pending"}
	err := chi.Walk(h.srv.handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method != "GET" || isPage(route) || slices.Contains(open, route) {
			return nil
		}
		asked++
		for _, query := range []string{"", "life=all", "life=discovered", "state=all", "export=csv", "export=ndjson", "by=area", "by=vendor", "sort=id", "q=ngoai", "area=da-nang", "device=ngoai-kia-cam"} {
			path := fill(route, in)
			if query != "" && strings.Contains(path, "?") {
				continue
			}
			if query != "" {
				path += "?" + query
			}
			status, body := read(path)
			if status == 200 && shows(body) {
				t.Errorf("%s shows what lies elsewhere: %s", path, body)
			}
			if query == "" && strings.Contains(route, "{") && (strings.Contains(route, "/devices/") || strings.Contains(route, "/alerts/") || strings.Contains(route, "/work-orders/") || strings.Contains(route, "/commands/{batch}")) {
				if status != 200 {
					t.Errorf("%s, which lies within: %d %s", path, status, body)
				}
				if status, _ := read(fill(route, out)); status != 403 {
					t.Errorf("%s of another area: %d", route, status)
				}
			}
		}
		return nil
	})
	if err != nil || asked < 50 {
		t.Fatal(asked, err)
	}
	// What lies within is shown: else all of the above would say nothing.
	for path, want := range map[string]string{"/api/v1/devices": in["device"], "/api/v1/devices/export": in["device"], "/api/v1/devices/labels": in["device"], "/api/v1/health/devices": in["device"], "/api/v1/health?by=vendor": "trong-kia-vendor",
		"/api/v1/health/devices?export=csv": in["device"], "/api/v1/alerts": in["alert"], "/api/v1/alerts/nhom": in["device"], "/api/v1/reports": in["code"], "/api/v1/work-orders": in["order"], "/api/v1/commands": in["batch"], "/api/v1/crews": "crew-1"} {
		if status, body := read(path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without %s: %s", path, status, want, body)
		}
	}
	if _, body := read("/api/v1/alerts"); !strings.Contains(body, `"nhom"`) || strings.Contains(body, "31") && strings.Contains(body, `"of":31`) || !strings.Contains(body, "1 thiết bị dùng mạng chung") {
		t.Errorf("the group outage is told as %s", body)
	}
	if _, body := read("/api/v1/commands"); strings.Contains(body, both.ID) {
		t.Error("a bulk command to both areas is listed")
	}
	if _, body := read("/api/v1/crews"); strings.Contains(body, "crew-2") {
		t.Error("a crew elsewhere is listed")
	}
	if _, body := read("/api/v1/health"); !strings.Contains(body, `"all":{"key":"","name":"","name_en":"","devices":1`) {
		t.Errorf("health counts %s", body)
	}

	conn := h.connect("Cookie", cookie)
	for channel := range channels {
		if channel == "stats" { // the whole centre's
			continue
		}
		conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"`+channel+`","since":0}`))
	}
	h.call("admin", "POST", "/api/v1/devices/"+out["device"]+"/commands", `{"name":"restart","why":"ngoai-kia"}`, nil)
	h.call("admin", "POST", "/api/v1/commands/"+out["batch"]+"/stop", `{"why":"ngoai-kia"}`, nil)
	h.call("admin", "POST", "/api/v1/devices/"+out["device"]+"/readings", `{"values":{"pm25":4}}`, nil)
	h.raise(func(a *alerts.Alert) {
		a.ID, a.Rule, a.Device, a.Area = "ngoai-kia-2", "r2", out["device"], "da-nang"
	})
	h.call("admin", "POST", "/api/v1/devices/"+in["device"]+"/commands", `{"name":"last-in"}`, nil)
	got := ""
	for !strings.Contains(got, "last-in") || !strings.Contains(got, in["alert"]) || !strings.Contains(got, in["code"]) || !strings.Contains(got, in["order"]) || !strings.Contains(got, in["batch"]) || !strings.Contains(got, `"nhom"`) {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("%v after %s", err, got)
		}
		if shows(string(frame)) {
			t.Errorf("the websocket tells of what lies elsewhere: %s", frame)
		}
		got += string(frame)
	}
}

// A bulk command by filter is for the devices within one's limits; one that is
// named outside of them is no device, and what spans more is nobody's to stop
// who has not all of it.
func TestBulkCommandsStayWithinLimits(t *testing.T) {
	h := newHouse(t, nil)
	for _, body := range []string{`{"id":"in-1","type":"air_station","area":"dong-hoi"}`, `{"id":"in-2","type":"air_station","area":"dong-hoi"}`, `{"id":"out-1","type":"air_station","area":"da-nang"}`} {
		h.call("admin", "POST", "/api/v1/devices", body, nil)
	}
	cookie := h.account("lan", people.Grant{Role: "operator", Area: "quang-tri"})
	as := func(method, path, body string, into any) int {
		t.Helper()
		return h.call("", method, path, body, into, "Cookie", cookie).StatusCode
	}
	var b struct {
		ID    string
		Total int
	}
	if got := as("POST", "/api/v1/commands", `{"name":"identify","filter":{"type":"air_station"}}`, &b); got != 202 || b.Total != 2 {
		t.Errorf("by filter: %d, %d devices", got, b.Total)
	}
	var p, q problem
	for into, id := range map[*problem]string{&p: "out-1", &q: "nobody"} {
		if got := as("POST", "/api/v1/commands", `{"name":"identify","filter":{"devices":["in-1","`+id+`"]}}`, into); got != 422 {
			t.Errorf("%s by its id: %d", id, got)
		}
	}
	if strings.ReplaceAll(p.Errors[0].Detail, "out-1", "nobody") != q.Errors[0].Detail {
		t.Errorf("%q tells more than %q", p.Errors[0].Detail, q.Errors[0].Detail)
	}
	if got := as("POST", "/api/v1/commands", `{"name":"identify","filter":{"area":"da-nang"}}`, nil); got != 422 {
		t.Errorf("to another area: %d", got)
	}
	var all struct{ ID string }
	h.call("admin", "POST", "/api/v1/commands", `{"name":"identify","filter":{"type":"air_station"}}`, &all)
	for path, want := range map[string]int{"/stop": 403, "": 403} {
		method := map[string]string{"/stop": "POST", "": "GET"}[path]
		if got := as(method, "/api/v1/commands/"+all.ID+path, "", nil); got != want {
			t.Errorf("%s of the centre's: %d", path, got)
		}
	}
	if got := as("POST", "/api/v1/commands/"+b.ID+"/stop", "", nil); got != 200 {
		t.Errorf("stop one's own: %d", got)
	}
	for as, want := range map[string]int{"operator": 202, "viewer": 403, "auditor": 403, "crew": 403} {
		if got := h.call(as, "POST", "/api/v1/devices/in-1/commands", `{"name":"restart"}`, nil).StatusCode; got != want {
			t.Errorf("%s restarts a device: %d", as, got)
		}
	}
}

// Of a group outage an officer acknowledges one that is theirs alone.
func TestGroupOutageIsAcknowledgedByWhoHasAllOfIt(t *testing.T) {
	h := newHouse(t, nil)
	for _, body := range []string{`{"id":"in-1","type":"air_station","area":"dong-hoi"}`, `{"id":"in-2","type":"air_station","area":"dong-hoi"}`, `{"id":"out-1","type":"air_station","area":"da-nang"}`} {
		h.call("admin", "POST", "/api/v1/devices", body, nil)
	}
	cookie := h.account("lan", people.Grant{Role: "operator", Area: "quang-tri"})
	for id, c := range map[string]struct {
		members []string
		read    int
		ack     int
	}{"mine": {[]string{"in-1", "in-2"}, 200, 200}, "both": {[]string{"in-1", "out-1"}, 200, 403}, "theirs": {[]string{"out-1"}, 403, 403}, "gone": {[]string{"nobody"}, 403, 403}} {
		h.raise(func(a *alerts.Alert) {
			a.ID, a.Rule, a.Kind, a.Device, a.Area, a.Group, a.Members = id, alerts.CohortKind, alerts.CohortKind, "", "dong-hoi", "network:"+id, c.members
		})
		if got := h.call("", "GET", "/api/v1/alerts/"+id, "", nil, "Cookie", cookie).StatusCode; got != c.read {
			t.Errorf("%s: %d", id, got)
		}
		if got := h.call("", "POST", "/api/v1/alerts/"+id+"/ack", "", nil, "Cookie", cookie).StatusCode; got != c.ack {
			t.Errorf("acknowledge %s: %d", id, got)
		}
	}
}
