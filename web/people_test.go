package web

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"haidang/alerts"
	"haidang/devices/audit"
	"haidang/devices/people"
)

// connect opens the websocket with a header.
func (h *house) connect(head, value string) *websocket.Conn {
	h.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+"/ws", http.Header{head: {value}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	return conn
}

// callPeople calls the operations of people.yaml and audit.yaml so that they
// succeed.
func (h *house) callPeople(do func(as, op, at string, status int, body ...string) map[string]any) {
	h.t.Helper()
	do("", "GET /api/v1/sign-in", "/api/v1/sign-in", 200)
	made := do("admin", "POST /api/v1/accounts", "/api/v1/accounts", 201)
	do("admin", "GET /api/v1/accounts", "/api/v1/accounts?limit=1", 200)
	do("admin", "GET /api/v1/accounts/{name}", "/api/v1/accounts/LAN", 200)
	do("admin", "PUT /api/v1/accounts/{name}", "/api/v1/accounts/lan", 200)
	do("admin", "PUT /api/v1/roles/{id}", "/api/v1/roles/camera_desk", 200)
	do("admin", "GET /api/v1/roles", "/api/v1/roles", 200)
	do("admin", "DELETE /api/v1/roles/{id}", "/api/v1/roles/camera_desk", 204)
	cookie := h.signIn("lan", made["password"].(string))
	var se struct{ Items []ownSession }
	var got json.RawMessage
	own := func(method, at string, status int, body string) {
		h.t.Helper()
		into := any(&got)
		if status == 204 {
			into = nil
		}
		if res := h.call("", method, at, body, into, "Cookie", cookie); res.StatusCode != status {
			h.t.Fatalf("%s %s: %d %s", method, at, res.StatusCode, got)
		}
	}
	const account = "/api/v1/account"
	own("POST", account+"/password", 204, fmt.Sprintf(`{"password":%q,"new_password":%q}`, made["password"], goodPassword))
	own("POST", account+"/factor", 200, "")
	var offer people.Enrolment
	json.Unmarshal(got, &offer)
	own("PUT", account+"/factor", 200, fmt.Sprintf(`{"password":%q,"secret":%q,"code":%q}`, goodPassword, offer.Secret, totp(h.t, offer.Secret)))
	var p problem
	if res := h.call("", "POST", "/api/v1/session", fmt.Sprintf(`{"account":"lan","password":%q}`, goodPassword), &p); res.StatusCode != 401 || p.Type != codeNeeded {
		h.t.Errorf("without the code: %s %+v", res.Status, p)
	}
	own("DELETE", account+"/factor", 204, fmt.Sprintf(`{"password":%q}`, goodPassword))
	own("POST", account+"/tokens", 201, fmt.Sprintf(`{"name":"bảng","actions":["alert.read"],"expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	var tok struct{ Token people.Token }
	json.Unmarshal(got, &tok)
	own("GET", account+"/tokens", 200, "")
	own("DELETE", account+"/tokens/"+tok.Token.ID, 204, "")
	own("GET", account+"/sessions", 200, "")
	json.Unmarshal(got, &se)
	do("admin", "GET /api/v1/sessions", "/api/v1/sessions?account=lan", 200)
	other := h.signIn("lan", goodPassword)
	own("DELETE", account+"/sessions/"+se.Items[0].ID, 204, "")
	h.call("", "GET", account+"/sessions", "", &se, "Cookie", other)
	do("admin", "DELETE /api/v1/sessions/{id}", "/api/v1/sessions/"+se.Items[0].ID, 204)
	do("admin", "POST /api/v1/accounts/{name}/reset", "/api/v1/accounts/lan/reset", 200)

	code := do("", "POST /api/v1/reports", "/api/v1/reports", 201, `{"category":"khac","description":"Ổ gà","address":"Đồng Hới","phone":"0912345678","name":"Nguyễn Văn A"}`)["code"].(string)
	do("shift_lead", "POST /api/v1/reports/{code}/unmask", "/api/v1/reports/"+code+"/unmask", 200)
	do("operator", "POST /api/v1/shifts", "/api/v1/shifts", 201)
	do("operator", "POST /api/v1/shifts/notes", "/api/v1/shifts/notes", 200)
	id := do("operator", "POST /api/v1/shifts/hand-over", "/api/v1/shifts/hand-over", 200)["id"]
	do("shift_lead", "POST /api/v1/shifts/{id}/accept", fmt.Sprintf("/api/v1/shifts/%v/accept", id), 200)
	do("viewer", "GET /api/v1/shifts", "/api/v1/shifts?limit=1", 200)
	do("auditor", "GET /api/v1/audit", "/api/v1/audit?limit=5", 200)
	do("auditor", "GET /api/v1/audit", "/api/v1/audit?export=csv", 200)
	do("auditor", "GET /api/v1/audit", "/api/v1/audit?export=ndjson", 200)
}

// totp is the code of now, made as RFC 6238 says by who did not make the server.
func totp(t *testing.T, secret string) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30)))
	sum := mac.Sum(nil)
	o := sum[19] & 0xf
	n := (int(sum[o]&0x7f)<<24 | int(sum[o+1])<<16 | int(sum[o+2])<<8 | int(sum[o+3])) % 1e6
	return fmt.Sprintf("%06d", n)
}

// An officer of one area and two categories sees what lies there, in lists, one
// by one and live, and no more.
func TestRightsAreLimitedToAreaAndCategory(t *testing.T) {
	h := newHouse(t, nil)
	cookie := h.account("can-bo", people.Grant{Role: "operator", Area: "dong-hoi", Categories: []string{"air_station"}}, people.Grant{Role: "officer", Categories: []string{"giao-thong"}})
	for _, body := range []string{`{"id":"in","type":"air_station","area":"dong-hoi","lat":17.4,"lon":106.6}`, `{"id":"elsewhere","type":"air_station","area":"le-thuy","lat":17.4,"lon":106.6}`, `{"id":"other","type":"traffic_camera","area":"dong-hoi","lat":17.4,"lon":106.6}`, `{"id":"nowhere","type":"air_station","lat":17.4,"lon":106.6}`} {
		if res := h.call("operator", "POST", "/api/v1/devices", body, nil); res.StatusCode != 201 {
			t.Fatal(res.Status)
		}
	}
	h.raiseAlert() // of an air station in dong-hoi
	h.raise(func(a *alerts.Alert) {
		a.ID, a.Device, a.Area, a.AreaVersion = "a2", "elsewhere", "le-thuy", "le-thuy@2025-07-01"
	})
	report := func(category string) string {
		var r struct{ Code string }
		h.call("operator", "POST", "/api/v1/reports", `{"category":"`+category+`","description":"x","lat":17.4,"lon":106.6}`, &r)
		return r.Code
	}
	traffic, trash := report("giao-thong"), report("ve-sinh-moi-truong")
	order := func(about string) string {
		var o struct{ ID string }
		h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","title":"t"`+about+`}`, &o)
		return o.ID
	}
	mine, others, free := order(`,"report":"`+traffic+`"`), order(`,"alert":"a2"`), order("")
	as := func(method, path, body string) int {
		return h.call("", method, path, body, nil, "Cookie", cookie).StatusCode
	}
	for path, want := range map[string]string{"/devices": "in", "/alerts": "a1", "/reports": traffic, "/work-orders": mine} {
		var l struct {
			Items []struct{ ID, Code string }
		}
		h.call("", "GET", "/api/v1"+path, "", &l, "Cookie", cookie)
		var got []string
		for _, it := range l.Items {
			got = append(got, it.ID+it.Code)
		}
		if fmt.Sprint(got) != "["+want+"]" {
			t.Errorf("%s shows %v, want %s", path, got, want)
		}
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/devices/in", "", 200}, {"GET", "/devices/elsewhere", "", 403}, {"GET", "/devices/other", "", 403}, {"GET", "/devices/nowhere", "", 403},
		{"GET", "/devices/elsewhere/readings", "", 403}, {"GET", "/devices/elsewhere/events", "", 403}, {"GET", "/devices/elsewhere/series?metric=pm25", "", 403}, {"GET", "/devices/elsewhere/rollups?metric=pm25", "", 403},
		{"POST", "/devices/elsewhere/secret", "", 403}, {"POST", "/devices/in/secret", "", 200},
		{"POST", "/devices", `{"id":"n1","type":"air_station","area":"le-thuy"}`, 403}, {"POST", "/devices", `{"id":"n1","type":"air_station","area":"dong-hoi"}`, 201},
		{"POST", "/devices/in/readings", `{"values":{"pm25":3}}`, 202}, {"POST", "/devices/elsewhere/readings", `{"values":{"pm25":3}}`, 403},
		{"GET", "/alerts/a2", "", 403}, {"POST", "/alerts/a2/ack", "", 403}, {"POST", "/alerts/a1/ack", "", 200},
		{"POST", "/reports/" + trash + "/accept", "", 403}, {"POST", "/reports/" + traffic + "/accept", "", 200},
		{"POST", "/reports/" + trash + "/unmask", `{"reason":"gọi lại người dân"}`, 403}, {"POST", "/reports/" + traffic + "/unmask", `{"reason":"gọi lại người dân"}`, 200},
		{"GET", "/work-orders/" + mine, "", 200}, {"GET", "/work-orders/" + others, "", 403}, {"GET", "/work-orders/" + free, "", 403},
		{"POST", "/work-orders/" + others + "/cancel", `{"text":"x"}`, 403}, {"POST", "/work-orders", `{"crew":"crew-1","title":"t"}`, 403}, {"POST", "/work-orders", `{"crew":"crew-1","alert":"a1"}`, 201},
		{"GET", "/stats", "", 403}, {"GET", "/sources", "", 403}, {"GET", "/dead-letters", "", 403},
	} {
		if got := as(c.method, "/api/v1"+c.path, c.body); got != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.status)
		}
	}
	conn := h.connect("Cookie", cookie)
	for channel, want := range map[string][]string{"map": {"in", "n1"}, "alerts": {"a1"}, "reports": {traffic}} {
		conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"`+channel+`"}`))
		var f struct {
			Channel string
			Items   []struct{ ID, Code string }
		}
		for f.Channel != channel {
			if err := conn.ReadJSON(&f); err != nil {
				t.Fatal(err)
			}
		}
		seen := map[string]bool{}
		for _, it := range f.Items {
			seen[it.ID+it.Code] = true
		}
		if !seen[want[0]] || seen["elsewhere"] || seen["other"] || seen["nowhere"] || seen["a2"] || seen[trash] {
			t.Errorf("channel %s shows %v", channel, seen)
		}
	}
	// A change out there is not told either, the next in here is.
	h.raise(func(a *alerts.Alert) {
		a.ID, a.Rule, a.Device, a.Area, a.AreaVersion = "a3", "r3", "elsewhere", "le-thuy", "le-thuy@2025-07-01"
	})
	h.raise(func(a *alerts.Alert) { a.ID, a.Device = "a4", "in" })
	for told := ""; told != "a4"; {
		var f struct {
			Channel string
			Items   []struct{ ID string }
		}
		if err := conn.ReadJSON(&f); err != nil {
			t.Fatal(err)
		}
		for _, it := range f.Items {
			if told = it.ID; told == "a3" {
				t.Error("an alert of another area is told")
			}
		}
	}
}

// What ends a session ends what it has open.
func TestSessionsEnd(t *testing.T) {
	h := newHouse(t, nil)
	for name, end := range map[string]func(){
		"role": func() { h.call("admin", "PUT", "/api/v1/accounts/role", `{"grants":[{"role":"auditor"}]}`, nil) },
		"disabled": func() {
			h.call("admin", "PUT", "/api/v1/accounts/disabled", `{"grants":[{"role":"viewer"}],"disabled":true}`, nil)
		},
		"reset": func() { h.call("admin", "POST", "/api/v1/accounts/reset/reset", "", nil) },
	} {
		cookie := h.account(name, people.Grant{Role: "viewer"})
		conn := h.connect("Cookie", cookie)
		if res := h.call("", "GET", "/api/v1/alerts", "", nil, "Cookie", cookie); res.StatusCode != 200 {
			t.Fatalf("%s: %s before", name, res.Status)
		}
		end()
		if res := h.call("", "GET", "/api/v1/alerts", "", nil, "Cookie", cookie); res.StatusCode != 401 {
			t.Errorf("%s: %s after", name, res.Status)
		}
		if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, 4001) {
			t.Errorf("%s: the websocket says %v", name, err)
		}
	}
}

func TestFirstPasswordMustBeChanged(t *testing.T) {
	h := newHouse(t, nil)
	var made struct{ Password string }
	h.call("admin", "POST", "/api/v1/accounts", `{"name":"lan","grants":[{"role":"admin"}]}`, &made)
	cookie := h.signIn("lan", made.Password)
	var se sessionView
	if h.call("", "GET", "/api/v1/session", "", &se, "Cookie", cookie); !se.MustChange || len(se.Actions) != 0 {
		t.Errorf("%+v", se)
	}
	for _, path := range []string{"/api/v1/alerts", "/api/v1/accounts", "/metrics", "/ws"} {
		if res := h.call("", "GET", path, "", nil, "Cookie", cookie); res.StatusCode != 403 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if res := h.call("", "POST", "/api/v1/account/tokens", `{"name":"x","actions":["alert.read"],"expires_at":"2099-01-01T00:00:00Z"}`, nil, "Cookie", cookie); res.StatusCode != 403 {
		t.Errorf("a token: %s", res.Status)
	}
	change := func(password string) int {
		return h.call("", "POST", "/api/v1/account/password", fmt.Sprintf(`{"password":%q,"new_password":%q}`, made.Password, password), nil, "Cookie", cookie).StatusCode
	}
	if got := change("matkhau12345"); got != 422 {
		t.Errorf("a common password: %d", got)
	}
	if got := change(goodPassword); got != 204 {
		t.Errorf("a good one: %d", got)
	}
	if res := h.call("", "GET", "/api/v1/accounts", "", nil, "Cookie", cookie); res.StatusCode != 200 {
		t.Errorf("after it: %s", res.Status)
	}
}

// Whoever tries names learns nothing: the answers are the same to the letter.
func TestAccountsAreNotToldApart(t *testing.T) {
	h := newHouse(t, nil)
	h.account("lan", people.Grant{Role: "viewer"})
	h.account("nam", people.Grant{Role: "viewer"})
	h.call("admin", "PUT", "/api/v1/accounts/nam", `{"grants":[{"role":"viewer"}],"disabled":true}`, nil)
	answer := func(name, password string) string {
		var p map[string]any
		h.call("", "POST", "/api/v1/session", fmt.Sprintf(`{"account":%q,"password":%q}`, name, password), &p)
		delete(p, "request_id")
		return fmt.Sprint(p)
	}
	want := answer("lan", "wrong")
	for _, c := range [][2]string{{"nobody", "wrong"}, {"nam", "wrong"}, {"nam", goodPassword}, {"", ""}} {
		if got := answer(c[0], c[1]); got != want {
			t.Errorf("%q: %s, want %s", c[0], got, want)
		}
	}
}

func TestTokenOfAnAccount(t *testing.T) {
	h := newHouse(t, nil)
	cookie := h.account("lan", people.Grant{Role: "operator"})
	ask := func(actions string, until time.Time) (secret string, status int) {
		var made struct{ Secret string }
		res := h.call("", "POST", "/api/v1/account/tokens", fmt.Sprintf(`{"name":"bảng","actions":[%s],"expires_at":%q}`, actions, until.Format(time.RFC3339Nano)), &made, "Cookie", cookie)
		return made.Secret, res.StatusCode
	}
	day := time.Now().Add(24 * time.Hour)
	if _, got := ask(`"person.manage"`, day); got != 422 {
		t.Errorf("more than the account may: %d", got)
	}
	if _, got := ask(`"alert.read"`, day.AddDate(2, 0, 0)); got != 422 {
		t.Errorf("for too long: %d", got)
	}
	secret, got := ask(`"alert.read"`, day)
	if got != 201 {
		t.Fatal(got)
	}
	for path, want := range map[string]int{"/api/v1/alerts": 200, "/api/v1/devices": 403, "/api/v1/account/sessions": 403} {
		if res := h.call(secret, "GET", path, "", nil); res.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, res.Status, want)
		}
	}
	if res := h.call(secret[:len(secret)-1], "GET", "/api/v1/alerts", "", nil); res.StatusCode != 401 {
		t.Errorf("a truncated token: %s", res.Status)
	}
	if res := h.call("", "POST", "/api/v1/session", `{"token":"`+secret+`"}`, nil); res.StatusCode != 401 {
		t.Errorf("a program's token signs in on a page: %s", res.Status)
	}
	short, _ := ask(`"alert.read"`, time.Now().Add(300*time.Millisecond))
	h.eventually("the token expires", func() bool { return h.call(short, "GET", "/api/v1/alerts", "", nil).StatusCode == 401 })
	h.call("admin", "PUT", "/api/v1/accounts/lan", `{"grants":[{"role":"operator"}],"disabled":true}`, nil)
	if res := h.call(secret, "GET", "/api/v1/alerts", "", nil); res.StatusCode != 401 {
		t.Errorf("of a disabled account: %s", res.Status)
	}
}

// Personal data is hidden wherever a report is shown, and seen once with a
// reason, of which the auditor reads.
func TestPersonalDataIsHiddenUntilSomebodySaysWhy(t *testing.T) {
	h := newHouse(t, nil)
	const phone, name, plate, house = "0912345678", "Nguyễn Văn Bình", "73A-123.45", "12/4"
	var rep struct{ Code string }
	if res := h.call("", "POST", "/api/v1/reports", fmt.Sprintf(`{"category":"an-ninh-trat-tu","description":"Xe %s chắn cổng, gọi %s","lat":17.46832,"lon":106.62277,"address":"Số %s Quang Trung","phone":%q,"name":%q}`, plate, phone, house, phone, name), &rep); res.StatusCode != 201 {
		t.Fatal(res.Status)
	}
	hides := func(where, body string) {
		t.Helper()
		for _, secret := range []string{phone, name, plate, house, "17.46832", "106.62277"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %s: %s", where, secret, body)
			}
		}
	}
	see := func(as, path string) string {
		t.Helper()
		var got json.RawMessage
		h.call(as, "GET", path, "", &got)
		return string(got)
	}
	for _, as := range []string{"", "admin", "shift_lead"} {
		hides("the report to "+as, see(as, "/api/v1/reports/"+rep.Code))
	}
	hides("the list", see("operator", "/api/v1/reports"))
	for _, q := range []string{phone, plate, name} {
		if list := see("operator", "/api/v1/reports?q="+url.QueryEscape(q)); strings.Contains(list, rep.Code) {
			t.Errorf("a search for %s finds it", q)
		}
	}
	conn := h.connect("Authorization", "Bearer operator")
	conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"reports","since":0}`))
	_, frame, err := conn.ReadMessage()
	if err != nil || !strings.Contains(string(frame), rep.Code) {
		t.Fatalf("%s %v", frame, err)
	}
	hides("the websocket", string(frame))

	var o struct{ ID string }
	h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","report":"`+rep.Code+`"}`, &o)
	if got := see("crew-1", "/api/v1/work-orders/"+o.ID); !strings.Contains(got, "17.46832") || strings.Contains(got, plate) {
		t.Errorf("the crew is told %s", got)
	}
	hides("the work order to who only looks", see("viewer", "/api/v1/work-orders/"+o.ID)+see("viewer", "/api/v1/work-orders"))

	unmask := func(as, reason string) (int, string) {
		var got json.RawMessage
		res := h.call(as, "POST", "/api/v1/reports/"+rep.Code+"/unmask", fmt.Sprintf(`{"reason":%q}`, reason), &got)
		return res.StatusCode, string(got)
	}
	const why = "Gọi lại người dân để hỏi rõ"
	for as, want := range map[string]int{"": 401, "operator": 403, "admin": 403, "auditor": 403} {
		if got, _ := unmask(as, why); got != want {
			t.Errorf("%q unmasks: %d", as, got)
		}
	}
	if got, body := unmask("shift_lead", "12345 67890 !"); got != 422 {
		t.Errorf("without a reason: %d %s", got, body)
	}
	got, body := unmask("shift_lead", why)
	var p struct {
		Phone, Name, Description, Address string
		Lat                               float64
	}
	json.Unmarshal([]byte(body), &p)
	if got != 200 || p.Phone != phone || p.Name != name || !strings.Contains(p.Description, plate) || !strings.Contains(p.Address, house) || p.Lat != 17.46832 {
		t.Errorf("%d %s", got, body)
	}
	var log struct{ Items []auditView }
	h.call("auditor", "GET", "/api/v1/audit?action=report.unmask", "", &log)
	if len(log.Items) != 1 || log.Items[0].Who != "shift_lead" || log.Items[0].ID != rep.Code || log.Items[0].Why != why {
		t.Errorf("the auditor reads %+v", log.Items)
	}
	hides("the audit log", see("auditor", "/api/v1/audit?limit=1000"))
	hides("the log", h.log.String())
}

// Whatever somebody does stands in the audit log, with who, and from where.
func TestActsAreRecorded(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station"}`, nil)
	h.call("operator", "POST", "/api/v1/devices/d1/secret", "", nil)
	h.call("operator", "POST", "/api/v1/alerts/"+h.raiseAlert()+"/ack", `{"note":"đã thấy"}`, nil)
	var rep struct{ Code string }
	h.call("", "POST", "/api/v1/reports", `{"category":"khac","description":"x","address":"y"}`, &rep)
	h.call("operator", "POST", "/api/v1/reports/"+rep.Code+"/assign", `{"agency":"so-xay-dung"}`, nil)
	var o struct{ ID string }
	h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","title":"t","client_id":"1"}`, &o)
	h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"crew-1","title":"t","client_id":"1"}`, &o) // the same: no act
	h.call("crew-1", "POST", "/api/v1/work-orders/"+o.ID+"/accept", "", nil)
	h.call("crew-1", "POST", "/api/v1/work-orders/"+o.ID+"/en-route", "", nil)
	for _, act := range []string{"replay", "discard", "restore"} {
		h.call("operator", "POST", "/api/v1/dead-letters/"+act+"?code=x", "", nil)
	}
	h.call("viewer", "POST", "/api/v1/devices/d1/secret", "", nil)
	h.call("", "POST", "/api/v1/session", `{"token":"auditor"}`, nil)
	h.call("auditor", "GET", "/api/v1/audit?export=csv", "", nil)
	var page struct {
		Items []auditView
		Next  string
	}
	got := map[string]auditView{}
	for cursor := ""; ; cursor = "&cursor=" + page.Next {
		page.Next = ""
		h.call("auditor", "GET", "/api/v1/audit?limit=5"+cursor, "", &page)
		for _, e := range page.Items {
			if _, twice := got[e.Action]; twice && e.Action != "credential.issue" {
				t.Errorf("%s stands there twice", e.Action)
			}
			got[e.Action] = e
		}
		if page.Next == "" {
			break
		}
	}
	for action, who := range map[string]string{"device.create": "operator", "credential.issue": "operator", "credential.revoke": "operator", "alert.ack": "operator", "report.assign": "operator", "workorder.create": "operator", "workorder.accept": "crew-1", "workorder.en_route": "crew-1",
		"deadletter.replay": "operator", "deadletter.discard": "operator", "deadletter.restore": "operator", "access.refuse": "viewer", "audit.export": "auditor"} {
		e, there := got[action]
		if !there || e.Who != who || e.Role == "" || e.Address != "127.0.0.1" {
			t.Errorf("%s: %+v, want by %s", action, e, who)
		}
		delete(got, action)
	}
	if _, there := got["session.create"]; !there || len(got) != 1 {
		t.Errorf("beside them stand %v", got)
	}
	if n, err := h.srv.Audit.Verify(t.Context(), 0, nil); err != nil || n != 15 {
		t.Errorf("%d entries hold, %v", n, err)
	}
}

func TestAuditExportIsNoFormula(t *testing.T) {
	h := newHouse(t, nil)
	if err := h.srv.Audit.Record(t.Context(), audit.Entry{Who: "=cmd()", Action: "x.y", Kind: "x", ID: "1", Why: "a,\"b\"\nc"}); err != nil {
		t.Fatal(err)
	}
	rq, err := http.NewRequest("GET", h.url+"/api/v1/audit?export=csv&action=x.y", nil)
	if err != nil {
		t.Fatal(err)
	}
	rq.Header.Set("Authorization", "Bearer auditor")
	res, err := http.DefaultClient.Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b); !strings.Contains(got, ",'=cmd(),") || !strings.Contains(got, `"a,""b""`) || !strings.HasPrefix(got, "\ufeffseq,at,") {
		t.Errorf("%q", got)
	}
	for _, query := range []string{"colour=red", "export=pdf", "cursor=x", "from=yesterday", "limit=0"} {
		if res := h.call("auditor", "GET", "/api/v1/audit?"+query, "", nil); res.StatusCode != 422 {
			t.Errorf("%s: %s", query, res.Status)
		}
	}
}
