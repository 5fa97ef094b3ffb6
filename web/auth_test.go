package web

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"haidang/devices/people"
)

func TestRolesMayDoWhatTheyShould(t *testing.T) {
	h := newHouse(t, nil)
	order := func(crew string) string {
		var wo struct{ ID string }
		if res := h.call("operator", "POST", "/api/v1/work-orders", `{"crew":"`+crew+`","title":"t"}`, &wo); res.StatusCode != 201 {
			t.Fatalf("make an order: %d", res.StatusCode)
		}
		return "/api/v1/work-orders/" + wo.ID
	}
	mine, other := order("crew-1"), order("crew-2")
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station","name":"x"}`, nil)
	for _, c := range []struct {
		as, method, path, body string
		status                 int
	}{
		{"viewer", "GET", "/api/v1/stats", "", 200},
		{"viewer", "GET", "/metrics", "", 200},
		{"viewer", "GET", "/api/v1/dead-letters", "", 403}, // payloads hold phones
		{"crew", "GET", "/api/v1/dead-letters", "", 403},
		{"viewer", "GET", "/api/v1/dead-letters/1/payload", "", 403},
		{"integrator", "GET", "/api/v1/dead-letters", "", 200},
		{"viewer", "POST", mine + "/accept", "{}", 403},
		{"integrator", "POST", mine + "/accept", "{}", 403},
		{"crew-1", "POST", other + "/accept", "{}", 403},
		{"crew-1", "POST", mine + "/cancel", "{}", 403},
		{"crew-1", "POST", mine + "/accept", "{}", 200},
		{"crew-1", "POST", mine + "/accept-it", "{}", 404},
		{"crew", "POST", other + "/accept", "{}", 200}, // a shared device
		{"admin", "POST", other + "/cancel", `{"text":"x"}`, 200},
		{"crew-1", "POST", "/api/v1/crews/crew-2/position", `{"lat":17,"lon":106}`, 403},
		{"crew-1", "POST", "/api/v1/crews/crew-1/position", `{"lat":17,"lon":106}`, 204},
		{"integrator", "POST", "/api/v1/devices/d1/secret", "", 200},
		{"crew", "POST", "/api/v1/devices/d1/secret", "", 403},
		{"integrator", "POST", "/api/v1/devices/d1/readings", `{"values":{"pm25":3}}`, 202},
		{"viewer", "POST", "/api/v1/devices/d1/readings", `{"values":{"pm25":3}}`, 403},
		{"integrator", "POST", "/api/v1/alerts/x/ack", "{}", 403},
		{"viewer", "POST", "/api/v1/reports/x/accept", "{}", 403},
	} {
		if res := h.call(c.as, c.method, c.path, c.body, nil); res.StatusCode != c.status {
			t.Errorf("%s: %s %s is %d, want %d", c.as, c.method, c.path, res.StatusCode, c.status)
		}
	}
}

func TestADeviceWritesOnlyAsItself(t *testing.T) {
	h := newHouse(t, nil)
	secrets := map[string]string{}
	for _, id := range []string{"d1", "d2"} {
		var made struct{ Secret string }
		h.call("operator", "POST", "/api/v1/devices", `{"id":"`+id+`","type":"air_station","name":"x"}`, &made)
		secrets[id] = made.Secret
	}
	send := func(to, user, secret string) int {
		return h.call("", "POST", "/api/v1/devices/"+to+"/readings", `{"values":{"pm25":38.4}}`, nil,
			"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+secret))).StatusCode
	}
	if got := send("d1", "d1", secrets["d1"]); got != 202 {
		t.Errorf("as itself: %d", got)
	}
	for name, got := range map[string]int{"another's name": send("d1", "d2", secrets["d2"]), "another's secret": send("d1", "d1", secrets["d2"]), "no secret": send("d1", "d1", "")} {
		if got != 401 {
			t.Errorf("with %s: %d", name, got)
		}
	}
	for i := range 6 {
		if got, want := send("d2", "d2", "guess"), map[bool]int{true: 401, false: 429}[i < 5]; got != want {
			t.Errorf("guess %d: %d, want %d", i+1, got, want)
		}
	}
	if got := send("d1", "d1", secrets["d1"]); got != 202 {
		t.Errorf("while another is guessed at: %d", got)
	}
}

func TestSessionCookie(t *testing.T) {
	h := newHouse(t, nil)
	res := h.call("", "POST", "/api/v1/session", `{"token":"operator"}`, nil)
	c := res.Header.Get("Set-Cookie")
	if res.StatusCode != 200 || !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
		t.Fatalf("%d %q", res.StatusCode, c)
	}
	cookie, _, _ := strings.Cut(c, ";")
	var id sessionView
	if h.call("", "GET", "/api/v1/session", "", &id, "Cookie", cookie); id.Name != "operator" || id.Mode != "token" {
		t.Errorf("session is %+v", id)
	}
	if res := h.call("", "POST", "/api/v1/devices", "{}", nil, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
		t.Errorf("another site with the cookie: %d", res.StatusCode)
	}
	h.call("", "DELETE", "/api/v1/session", "", nil, "Cookie", cookie)
	if res := h.call("", "GET", "/api/v1/session", "", nil, "Cookie", cookie); res.StatusCode != 401 {
		t.Errorf("after signing out: %d", res.StatusCode)
	}
}

func TestLimits(t *testing.T) {
	h := newHouse(t, nil)
	h.account("own", people.Grant{Role: "viewer"})
	until := func(as, method, path, body string) int {
		for n := range 100 {
			if res := h.call(as, method, path, body, nil); res.StatusCode == http.StatusTooManyRequests {
				if res.Header.Get("Retry-After") == "" {
					t.Error("a 429 without Retry-After")
				}
				return n
			}
		}
		return 100
	}
	if n := until("", "POST", "/api/v1/session", `{"token":"guess"}`); n != 5 {
		t.Errorf("%d guesses of a token", n)
	}
	for _, name := range []string{"own", "nobody"} { // it is not told which of them there is
		if n := until("", "POST", "/api/v1/session", `{"account":"`+name+`","password":"guess"}`); n != 5 {
			t.Errorf("%d guesses of the password of %s", n, name)
		}
	}
	if n := until("", "POST", "/api/v1/reports", `{}`); n != 10 {
		t.Errorf("%d reports at once", n)
	}
	if n := until("", "GET", "/api/v1/reports/QB-0000-0000", ""); n < 60 || n == 100 {
		t.Errorf("%d guesses of a code", n)
	}
	if n := until("operator", "POST", "/api/v1/reports", `{}`); n != 100 {
		t.Errorf("an operator was stopped after %d reports", n)
	}
}

func TestOneSubscriberIsOneAddress(t *testing.T) {
	for addr, want := range map[string]string{"203.0.113.7:1": "203.0.113.7", "[::ffff:203.0.113.7]:1": "203.0.113.7",
		"[2001:db8:1:2:3::9]:1": "2001:db8:1:2::/64", "[2001:db8:1:2:ffff::1]:9": "2001:db8:1:2::/64"} {
		if got := neighbourhood(&http.Request{RemoteAddr: addr}); got != want {
			t.Errorf("%s counts as %s", addr, got)
		}
	}
}

func TestTheWebsocketNeedsASession(t *testing.T) {
	h := newHouse(t, nil)
	if _, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+"/ws", nil); err == nil || res.StatusCode != 401 {
		t.Errorf("nobody could connect: %v", err)
	}
	conn := h.connect("Authorization", "Bearer viewer")
	conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"stats"}`))
	var f struct {
		Channel string
		Items   []struct{ Version string }
	}
	if err := conn.ReadJSON(&f); err != nil || f.Channel != "stats" || f.Items[0].Version != "test" {
		t.Errorf("%+v: %v", f, err)
	}
}

// The open demo serves this machine, and no name that merely points to it.
func TestOpenModeIsForThisMachineOnly(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Open = true })
	for name, c := range map[string]struct {
		from, host string
		want       int
	}{
		"this machine":   {"127.0.0.1:9", "127.0.0.1:8080", 200},
		"by name":        {"[::1]:9", "localhost:8080", 200},
		"from elsewhere": {"192.0.2.4:9", "127.0.0.1", 403},
		"rebound name":   {"127.0.0.1:9", "evil.example:8080", 403},
	} {
		rq := httptest.NewRequest("GET", "/api/v1/session", nil)
		rq.RemoteAddr, rq.Host = c.from, c.host
		w := httptest.NewRecorder()
		if h.srv.ServeHTTP(w, rq); w.Code != c.want {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
