package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/websocket"

	"haidang/devices"
	"haidang/devices/commands"
	"haidang/devices/people"
)

// What is seeded of each kind of personal data. Telling are those that nobody
// is shown without a reason; called are those that who works on an order, or
// keeps the shift, reads in what was written for them.
var (
	called  = []string{"0987654321", "73B-543.21"}
	telling = []string{"0912345678", "73A-123.45", "Nguyễn Văn Bình", "Lê Thị Lái", "12/4", "17.46832", "106.62277", "0933444555"}
)

// seedPersonal puts each of them wherever somebody could write it, and returns
// what to fill routes with.
func (h *house) seedPersonal() map[string]string {
	h.t.Helper()
	do := func(as, method, path, body string, into any, heads ...string) {
		h.t.Helper()
		if res := h.call(as, method, path, body, into, heads...); res.StatusCode/100 != 2 {
			h.t.Fatalf("%s %s: %s", method, path, res.Status)
		}
	}
	const said = "gọi 0912345678, xe 73A-123.45"
	do("admin", "POST", "/api/v1/devices", `{"id":"cam","type":"traffic_camera","area":"dong-hoi","lat":17.4,"lon":106.6,"notes":"Chìa khóa: `+said+`"}`, nil)
	do("admin", "POST", "/api/v1/devices/cam/life", `{"life":"suspended","reason":"`+said+`"}`, nil)
	do("admin", "POST", "/api/v1/devices/cam/life", `{"life":"active","reason":"`+said+`"}`, nil)
	do("admin", "POST", "/api/v1/devices/cam/readings", `{"values":{"count":3}}`, nil)
	do("admin", "POST", "/api/v1/devices/cam/events", `{"type":"red_light","data":{"plate":"73A-123.45","vehicle":{"owner_name":"Nguyễn Văn Bình","sđt":"0933444555"},"tài xế":"Lê Thị Lái","note":"`+said+`"}}`, nil)
	for _, body := range []string{`{"values":{"plate":"73A-123.45"},"owner":"Nguyễn Văn Bình"}`, `{"ts":"?","values":{"count":1},"note":"` + said + `"}`, `{"values":{"count":1},"chu_xe":"Lê Thị Lái","phone":"0933444`, said} {
		h.call("admin", "POST", "/api/v1/devices/cam/readings", body, nil)
		h.call("admin", "POST", "/api/v1/formats/plain", "stranger "+body, nil)
	}
	alert := h.raiseAlert()
	do("operator", "POST", "/api/v1/alerts/"+alert+"/ack", `{"note":"`+said+`"}`, nil)
	var rep, order, cmd, batch struct{ ID, Code string }
	do("", "POST", "/api/v1/reports", `{"category":"an-ninh-trat-tu","description":"`+said+`","lat":17.46832,"lon":106.62277,"address":"Số 12/4 Quang Trung","phone":"0933444555","name":"Nguyễn Văn Bình"}`, &rep)
	do("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","title":"Gọi 0987654321","instructions":"Xe 73B-543.21"}`, &order)
	do("crew-1", "POST", "/api/v1/work-orders/"+order.ID+"/accept", `{"text":"đã gọi 0987654321, xe 73B-543.21"}`, nil)
	do("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","report":"`+rep.Code+`"}`, nil)
	do("operator", "POST", "/api/v1/devices/cam/commands", `{"name":"snapshot","why":"`+said+`"}`, &cmd)
	refused, err := h.srv.Commands.Take(h.t.Context(), []commands.Answer{{Device: "cam", Leaf: "replies/snapshot", At: time.Now(),
		Payload: []byte(`{"id":"` + cmd.ID + `","status":"succeeded","message":"` + said + `","result":{"plate":"73A-123.45","seen":3}}`)}})
	if err != nil || refused[0] != nil {
		h.t.Fatal(refused, err)
	}
	do("operator", "POST", "/api/v1/commands", `{"name":"identify","why":"`+said+`","filter":{"devices":["cam"]}}`, &batch)
	do("operator", "POST", "/api/v1/shifts", `{"members":["An"]}`, nil)
	do("operator", "POST", "/api/v1/shifts/notes", `{"text":"gọi lại 0987654321 về xe 73B-543.21"}`, nil)
	do("operator", "POST", "/api/v1/shifts/hand-over", `{}`, nil)
	return map[string]string{"device": "cam", "alert": alert, "code": rep.Code, "order": order.ID, "command": cmd.ID, "batch": batch.ID}
}

var payloads = regexp.MustCompile(`"payload":"([A-Za-z0-9+/=]*)"`)

// readable is a body with what stands in it in base64.
func readable(body string) string {
	for _, m := range payloads.FindAllStringSubmatch(body, -1) {
		b, _ := base64.StdEncoding.DecodeString(m[1])
		body += "\n" + string(b)
	}
	return body
}

// No route and no channel shows anybody, whatever their role, what tells a
// person.
func TestNoRouteShowsWhatTellsAPerson(t *testing.T) {
	h := newHouse(t, withFormats)
	of := h.seedPersonal()
	h.eventually("the event is kept", func() bool {
		var page struct{ Items []eventView }
		h.call("viewer", "GET", "/api/v1/devices/cam/events", "", &page)
		return len(page.Items) == 1
	})
	check := func(where, role, body string, works bool) {
		t.Helper()
		body = readable(body)
		hidden := telling
		if !works {
			hidden = append(slices.Clone(telling), called...)
		}
		if strings.Contains(where, "/work-orders") && works { // with its order a crew gets the place
			hidden = slices.DeleteFunc(slices.Clone(hidden), func(s string) bool { return s == "17.46832" || s == "106.62277" })
		}
		for _, s := range hidden {
			plain := strings.NewReplacer("-", "", ".", "").Replace(s)
			if strings.Contains(body, s) || len(plain) > 6 && strings.Contains(body, plain) && !strings.ContainsAny(s, "/") {
				t.Errorf("%s shows %s to %q: %.600s", where, s, role, body)
			}
		}
	}
	for _, role := range append([]people.Role{{}}, h.srv.People.Roles()...) {
		has := func(a people.Action) bool { return slices.Contains(role.Actions, a) }
		asked := 0
		err := chi.Walk(h.srv.handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			if method != "GET" || isPage(route) || route == "/openapi.json" || route == "/ws" || route == "/osmand" {
				return nil
			}
			works := strings.Contains(route, "/work-orders") && (has(people.WorkOrderAct) || has(people.ReportHandle)) || strings.Contains(route, "/shifts") && has(people.ShiftKeep)
			queries := []string{"", "state=all", "life=all", "export=csv", "export=ndjson", "limit=1000"}
			for _, query := range queries {
				path := fill(route, of)
				if query != "" && strings.Contains(path, "?") {
					continue
				}
				rq, err := http.NewRequest("GET", h.url+path+map[bool]string{true: "", false: "?" + query}[query == ""], nil)
				if err != nil {
					return err
				}
				rq.Header.Set("Authorization", "Bearer "+role.ID)
				res, err := http.DefaultTransport.RoundTrip(rq)
				if err != nil {
					return err
				}
				b, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil {
					return err
				}
				if res.StatusCode == 200 {
					asked++
				}
				check(route+"?"+query, role.ID, string(b), works)
			}
			return nil
		})
		if err != nil || role.ID != "" && asked < 40 {
			t.Fatalf("%s: %d answers, %v", role.ID, asked, err)
		}
		for i := range 12 { // each dead letter by itself
			if role.ID != "" {
				for _, leaf := range []string{"", "/payload"} {
					rq, _ := http.NewRequest("GET", fmt.Sprintf("%s/api/v1/dead-letters/%d%s", h.url, i+1, leaf), nil)
					rq.Header.Set("Authorization", "Bearer "+role.ID)
					res, err := http.DefaultTransport.RoundTrip(rq)
					if err != nil {
						t.Fatal(err)
					}
					b, _ := io.ReadAll(res.Body)
					res.Body.Close()
					check("a dead letter"+leaf, role.ID, string(b), false)
				}
			}
		}
		if role.ID == "" {
			continue
		}
		conn := h.connect("Authorization", "Bearer "+role.ID)
		for name, action := range channels {
			if !has(action) {
				continue
			}
			for _, since := range []string{"", `,"since":0`} {
				conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"`+name+`"`+since+`}`))
				for got := ""; got != name; {
					_, frame, err := conn.ReadMessage()
					if err != nil {
						t.Fatal(role.ID, name, err)
					}
					var f struct{ Channel string }
					json.Unmarshal(frame, &f)
					got = f.Channel
					check("channel "+strings.Replace(f.Channel, "work-orders", "/work-orders", 1), role.ID, string(frame), f.Channel == "work-orders" && (has(people.WorkOrderAct) || has(people.ReportHandle)))
				}
			}
		}
	}
	// Nor is it found by searching for it.
	for _, q := range append(slices.Clone(telling), called...) {
		for _, path := range []string{"/api/v1/reports?q=", "/api/v1/devices?q="} {
			var page struct{ Items []any }
			if h.call("operator", "GET", path+url.QueryEscape(q), "", &page); len(page.Items) > 0 && strings.ContainsAny(q, "0123456789") {
				t.Errorf("%s%s finds %v", path, q, page.Items)
			}
		}
	}
	for _, s := range append(slices.Clone(telling), called...) {
		if strings.Contains(h.log.String(), s) {
			t.Errorf("the program's log has %s", s)
		}
	}
}

// Events and dead letters are shown as they came to who has the right and says
// why, of which the auditor reads.
func TestEventsAndDeadLettersAreUnmaskedForAReason(t *testing.T) {
	h := newHouse(t, withFormats)
	h.call("admin", "POST", "/api/v1/devices", `{"id":"cam","type":"traffic_camera","area":"dong-hoi"}`, nil)
	h.call("admin", "POST", "/api/v1/devices", `{"id":"other","type":"traffic_camera","area":"da-nang"}`, nil)
	at := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
	for _, id := range []string{"cam", "other"} {
		h.call("admin", "POST", "/api/v1/devices/"+id+"/events", `{"ts":"`+at.Format(time.RFC3339Nano)+`","type":"red_light","data":{"plate":"73A-123.45"}}`, nil)
	}
	const raw = `{"values":{"plate":"73A-123.45"}}`
	h.call("admin", "POST", "/api/v1/devices/cam/readings", raw, nil)
	var letters struct{ Items []deadLetterView }
	if h.call("operator", "GET", "/api/v1/dead-letters", "", &letters); len(letters.Items) != 1 || !letters.Items[0].Masked || letters.Items[0].Cut {
		t.Fatalf("%+v", letters.Items)
	}
	const why = "Xác minh theo đề nghị của CSGT"
	body := fmt.Sprintf(`{"ts":%q,"reason":%q}`, at.Format(time.RFC3339Nano), why)
	events, letter := "/api/v1/devices/cam/events/unmask", fmt.Sprintf("/api/v1/dead-letters/%d/unmask", letters.Items[0].ID)
	for as, want := range map[string][2]int{"": {401, 401}, "viewer": {403, 403}, "operator": {403, 403}, "admin": {403, 403}, "auditor": {403, 403}, "officer": {200, 403}, "shift_lead": {200, 200}} {
		if got := h.call(as, "POST", events, body, nil).StatusCode; got != want[0] {
			t.Errorf("%q unmasks events: %d", as, got)
		}
		if got := h.call(as, "POST", letter, `{"reason":"`+why+`"}`, nil).StatusCode; got != want[1] {
			t.Errorf("%q unmasks a dead letter: %d", as, got)
		}
	}
	for path, bodies := range map[string][]string{events: {`{"reason":"` + why + `"}`, `{"ts":"2020-01-01T00:00:00Z","reason":"` + why + `"}`, strings.Replace(body, why, "123", 1)}, letter: {`{}`, `{"reason":"1234567890 !"}`}} {
		for _, b := range bodies {
			if got := h.call("shift_lead", "POST", path, b, nil).StatusCode; got != 422 {
				t.Errorf("%s with %s: %d", path, b, got)
			}
		}
	}
	cookie := h.account("lan", people.Grant{Role: "officer", Area: "quang-tri"})
	if got := h.call("", "POST", "/api/v1/devices/other/events/unmask", body, nil, "Cookie", cookie).StatusCode; got != 403 {
		t.Errorf("an officer unmasks events of another area: %d", got)
	}
	var page struct{ Items []eventView }
	h.call("shift_lead", "POST", events, body, &page)
	if len(page.Items) != 1 || page.Items[0].Data["plate"] != "73A-123.45" {
		t.Errorf("%+v", page.Items)
	}
	var whole deadLetterView
	if res := h.call("shift_lead", "POST", letter, `{"reason":"`+why+`"}`, &whole); string(whole.Payload) != raw || whole.Masked || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %+v", whole.Payload, whole)
	}
	for action, n := range map[string]int{"event.unmask": 3, "deadletter.unmask": 2} {
		var log struct{ Items []auditView }
		if h.call("auditor", "GET", "/api/v1/audit?action="+action, "", &log); len(log.Items) != n || log.Items[0].Why != why || log.Items[0].Who != "shift_lead" {
			t.Errorf("%s: the auditor reads %+v", action, log.Items)
		}
	}
}

// Notes that were read masked, and sent back with an edit or in a file, stay.
func TestMaskedNotesDoNotOverwriteTheirOwn(t *testing.T) {
	h := newHouse(t, nil)
	const notes = "Chìa khóa: gọi 0912345678"
	var made struct{ Device deviceView }
	h.call("admin", "POST", "/api/v1/devices", `{"id":"cam","type":"traffic_camera","notes":"`+notes+`"}`, &made)
	if made.Device.Notes != "Chìa khóa: gọi 09••••••78" {
		t.Errorf("shown are %q", made.Device.Notes)
	}
	kept := func(when, want string) {
		t.Helper()
		if d, _ := h.srv.Registry.Get(devices.ID("cam")); d.Notes != want {
			t.Errorf("%s: %q", when, d.Notes)
		}
	}
	h.call("admin", "PATCH", "/api/v1/devices/cam", fmt.Sprintf(`{"notes":%q,"vendor":"A"}`, made.Device.Notes), nil, "If-Match", "*")
	kept("after an edit", notes)
	rq, _ := http.NewRequest("GET", h.url+"/api/v1/devices/export", nil)
	rq.Header.Set("Authorization", "Bearer admin")
	res, err := http.DefaultTransport.RoundTrip(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	table, _ := io.ReadAll(res.Body)
	if strings.Contains(string(table), "0912345678") {
		t.Errorf("the file has %s", table)
	}
	var sum struct{ Updated, Unchanged int }
	if h.call("admin", "POST", "/api/v1/devices/import", string(table), &sum); sum.Unchanged != 1 {
		t.Errorf("the file changes %+v", sum)
	}
	h.call("admin", "POST", "/api/v1/devices/import", strings.Replace(string(table), ",A,", ",B,", 1), nil)
	kept("after an import", notes)
	h.call("admin", "PATCH", "/api/v1/devices/cam", `{"notes":"Chìa khóa ở cổng"}`, nil, "If-Match", "*")
	kept("after new ones", "Chìa khóa ở cổng")
}
