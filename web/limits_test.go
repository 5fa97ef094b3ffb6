package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/websocket"

	"haidang/devices/people"
	"haidang/ingest"
)

// rates are few, and do not come again while a test runs.
func rates(o *Options) {
	few := func(n int) ingest.Limit { return ingest.Limit{N: n, Per: time.Duration(n) * time.Hour} }
	o.Limits = Limits{Reads: few(20), Writes: few(6), Exports: few(3), Imports: few(2), Uploads: few(4), Websockets: 2, Address: 3}
}

// Each account has its own share of each class, and one's being spent stops
// neither another class nor another account, and never a device.
func TestAccountsAreLimitedByClass(t *testing.T) {
	h := newHouse(t, func(o *Options) { withFormats(o); rates(o) })
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station","name":"x"}`, nil)
	spend := func(as string, n int, method, path, body string, heads ...string) {
		t.Helper()
		var got int
		var res *http.Response
		for got = 0; got < 50; got++ {
			if res = h.call(as, method, path, body, nil, heads...); res.StatusCode == 429 {
				break
			}
		}
		if got != n || res.StatusCode != 429 || res.Header.Get("Retry-After") != "3600" {
			t.Errorf("%s: %s %s %d times, want %d; Retry-After %q", as, method, path, got, n, res.Header.Get("Retry-After"))
		}
	}
	spend("operator", 20, "GET", "/api/v1/stats", "")
	spend("operator", 5, "POST", "/api/v1/work-orders/x/accept", "{}") // one made the device
	spend("operator", 3, "GET", "/api/v1/devices/export", "")
	spend("admin", 3, "GET", "/api/v1/audit?export=csv", "")
	spend("admin", 2, "POST", "/api/v1/areas/import", "")
	spend("operator", 4, "PUT", "/api/v1/devices/d1/photo", "")
	spend("shift_lead", 4, "POST", "/api/v1/reports", "--x--", "Content-Type", "multipart/form-data; boundary=x")
	if res := h.call("viewer", "GET", "/api/v1/stats", "", nil); res.StatusCode != 200 {
		t.Errorf("another account: %s", res.Status)
	}
	for range 50 {
		if res := h.call("integrator", "POST", "/api/v1/devices/d1/readings", `{"values":{"pm25":3}}`, nil); res.StatusCode != 202 {
			t.Fatalf("a reading: %s", res.Status)
		}
		if res := h.call("integrator", "POST", "/api/v1/formats/plain", "d1 pm25 3", nil); res.StatusCode >= 400 {
			t.Fatalf("a payload: %s", res.Status)
		}
		if res := h.call("", "GET", "/readyz", "", nil); res.StatusCode != 200 {
			t.Fatalf("readyz: %s", res.Status)
		}
	}
	// Whoever signs in again gets no new share.
	first := h.account("own", people.Grant{Role: "viewer"})
	for range 19 {
		h.call("", "GET", "/api/v1/stats", "", nil, "Cookie", first)
	}
	again := h.signIn("own", goodPassword)
	h.call("", "GET", "/api/v1/stats", "", nil, "Cookie", again)
	if res := h.call("", "GET", "/api/v1/stats", "", nil, "Cookie", again); res.StatusCode != 429 {
		t.Errorf("signed in anew: %s", res.Status)
	}
	if got := h.text("/metrics"); !strings.Contains(got, `haidang_web_limited_total{by="account",what="reads"} 2`) {
		t.Errorf("two refusals of reads are not counted:\n%s", got)
	}
}

// An address has some times as much, whoever asks, and is told apart.
func TestAddressesAreLimited(t *testing.T) {
	h := newHouse(t, rates)
	ask := func(from, as string) int {
		rq := httptest.NewRequest("GET", "/api/v1/device-types", nil)
		rq.RemoteAddr = from + ":9"
		if as != "" {
			rq.Header.Set("Authorization", "Bearer "+as)
		}
		rec := httptest.NewRecorder()
		h.srv.ServeHTTP(rec, rq)
		if rec.Code == 429 && !strings.Contains(rec.Body.String(), "too many reads by this address; wait 1200 seconds") {
			t.Errorf("it says %s", rec.Body)
		}
		return rec.Code
	}
	for i := range 60 {
		if c := ask("192.0.2.1", "no-such-token"); c != 401 {
			t.Fatalf("%d: %d", i, c)
		}
	}
	if c := ask("192.0.2.1", "viewer"); c != 429 {
		t.Errorf("beyond the address's: %d", c)
	}
	if c := ask("192.0.2.2", "viewer"); c != 200 {
		t.Errorf("another address: %d", c)
	}
	for _, path := range []string{"/healthz", "/assets/wall-ABC.js"} {
		rq := httptest.NewRequest("GET", path, nil)
		rq.RemoteAddr = "192.0.2.1:9"
		rec := httptest.NewRecorder()
		if h.srv.ServeHTTP(rec, rq); rec.Code != 200 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestWebsocketsAreCounted(t *testing.T) {
	h := newHouse(t, rates)
	at := "ws" + strings.TrimPrefix(h.url, "http") + "/ws"
	head := http.Header{"Authorization": {"Bearer viewer"}}
	one := h.connect("Authorization", "Bearer viewer")
	h.connect("Authorization", "Bearer viewer")
	if _, res, err := websocket.DefaultDialer.Dial(at, head); err == nil || res.StatusCode != 429 || res.Header.Get("Retry-After") != "10" {
		t.Errorf("a third of one account: %v", err)
	}
	for _, as := range []string{"operator", "officer"} {
		h.connect("Authorization", "Bearer "+as)
		h.connect("Authorization", "Bearer "+as)
	}
	if _, res, err := websocket.DefaultDialer.Dial(at, http.Header{"Authorization": {"Bearer admin"}}); err == nil || res.StatusCode != 429 {
		t.Errorf("a seventh of one address: %v", err)
	}
	one.Close()
	h.eventually("who left makes room", func() bool {
		c, _, err := websocket.DefaultDialer.Dial(at, head)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Which class each route is of; what is new here is looked at by a person.
func TestRoutesHaveTheirClass(t *testing.T) {
	h := newHouse(t, nil)
	seen := map[class][]string{}
	err := chi.Walk(h.srv.handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		rq := httptest.NewRequest(method, strings.NewReplacer("{", "", "}", "").Replace(route), nil)
		c := classOf(rq)
		seen[c] = append(seen[c], method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func(c class, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(" "+strings.Join(seen[c], ", ")+",", " "+w+",") {
				t.Errorf("%s is not among %s: %q", w, c, seen[c])
			}
		}
		if len(seen[c]) != len(want) {
			t.Errorf("%d routes are %s, want %d: %q", len(seen[c]), c, len(want), seen[c])
		}
	}
	count(exports, "GET /api/v1/devices/export", "GET /api/v1/devices/labels", "GET /api/v1/device-types/export")
	count(imports, "POST /api/v1/devices/import", "POST /api/v1/areas/import", "POST /api/v1/agencies/import", "POST /api/v1/device-types/import")
	count(uploads, "PUT /api/v1/devices/{id}/photo", "DELETE /api/v1/devices/{id}/photo")
	count(free, "GET /healthz", "GET /readyz", "GET /metrics", "GET /ws", "GET /osmand", "POST /osmand", "GET /osmand/{secret}", "POST /osmand/{secret}", "POST /api/v2/write", "GET /assets/*",
		"POST /api/v1/devices/{id}/readings", "POST /api/v1/devices/{id}/events", "POST /api/v1/devices/{id}/config/reported", "POST /api/v1/devices/{id}/replies/{name}", "GET /api/v1/devices/{id}/commands/pending",
		"POST /api/v1/formats/{format}", "POST /api/v1/indicators", "POST /api/v1/provision")
	if fmt.Sprint(len(seen[reads]) > 40, len(seen[writes]) > 40) != "true true" {
		t.Errorf("%d reads, %d writes", len(seen[reads]), len(seen[writes]))
	}
}
