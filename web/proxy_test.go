package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// What a proxy says of who asks is believed of the configured ones alone.
func TestProxiesAreBelievedWhenTheyAreOurs(t *testing.T) {
	s := &Server{Options: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}}}
	for name, c := range map[string]struct {
		from      string
		forwarded []string
		want      string
	}{
		"no proxy":                   {"203.0.113.9:5", nil, "203.0.113.9"},
		"somebody who says so":       {"203.0.113.9:5", []string{"192.0.2.1"}, "203.0.113.9"},
		"our proxy":                  {"127.0.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		"what came with the request": {"127.0.0.1:5", []string{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
		"two proxies":                {"127.0.0.1:5", []string{"198.51.100.7, 192.0.2.1, 10.1.2.3"}, "192.0.2.1"},
		"two headers":                {"127.0.0.1:5", []string{"198.51.100.7", "192.0.2.1"}, "192.0.2.1"},
		"nothing said":               {"127.0.0.1:5", nil, "127.0.0.1"},
		"nonsense":                   {"127.0.0.1:5", []string{"192.0.2.1, <script>"}, "127.0.0.1"},
		"IPv6":                       {"[::ffff:127.0.0.1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
	} {
		got := ""
		h := s.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = fmt.Sprint(address(r), " ", overTLS(r)) }))
		rq := httptest.NewRequest("GET", "/", nil)
		rq.RemoteAddr = c.from
		rq.Header["X-Forwarded-For"] = c.forwarded
		rq.Header.Set("X-Forwarded-Proto", "https")
		h.ServeHTTP(httptest.NewRecorder(), rq)
		trusted := strings.HasPrefix(c.from, "127.") || strings.HasPrefix(c.from, "[::ffff:127.")
		if want := fmt.Sprint(c.want, " ", trusted); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestCookieOverTLSIsForThisHostOnly(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	res := h.call("", "POST", "/api/v1/session", `{"token":"operator"}`, nil, "X-Forwarded-Proto", "https", "X-Forwarded-For", "192.0.2.1")
	c := res.Header.Get("Set-Cookie")
	if !strings.HasPrefix(c, "__Host-haidang_session=") || !strings.Contains(c, "; Secure") || !strings.Contains(c, "Path=/;") || strings.Contains(c, "Domain") {
		t.Fatalf("%q", c)
	}
	cookie, _, _ := strings.Cut(c, ";")
	var se sessionView
	if h.call("", "GET", "/api/v1/session", "", &se, "Cookie", cookie, "X-Forwarded-Proto", "https"); se.Name != "operator" {
		t.Errorf("%+v", se)
	}
	planted := strings.TrimPrefix(cookie, "__Host-")
	if res := h.call("", "GET", "/api/v1/session", "", nil, "Cookie", planted, "X-Forwarded-Proto", "https"); res.StatusCode != 401 {
		t.Errorf("a cookie that a sibling site could have set lets in: %s", res.Status)
	}
}
