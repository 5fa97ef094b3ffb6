package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

// Every route's answer, good or bad, has the headers that keep a browser from
// making more of it than it is; pages alone may run scripts, and no policy lets
// in what is written into a page.
func TestEveryAnswerIsGuarded(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station","name":"x"}`, nil)
	look := func(method, path string) {
		t.Helper()
		rq := httptest.NewRequest(method, path, nil)
		rq.RemoteAddr = "127.0.0.1:9"
		rq.Header.Set("Authorization", "Bearer admin")
		rq.Header.Set("X-Forwarded-Proto", "https")
		rec := httptest.NewRecorder()
		h.srv.ServeHTTP(rec, rq)
		page := strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") && strings.Contains(rec.Header().Get("Content-Security-Policy"), "script-src")
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=31536000", "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()"} {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%s %s: %s is %q", method, path, name, got)
			}
		}
		csp := rec.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s %s: the policy %q has no %s", method, path, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || page != (rec.Code == 200 && isPage(path)) {
			t.Errorf("%s %s: the policy is %q", method, path, csp)
		}
		if cache := rec.Header().Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(path, "/assets/") {
			t.Errorf("%s %s: Cache-Control is %q", method, path, cache)
		}
	}
	err := chi.Walk(h.srv.handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		look(method, route) // names in braces are names of nothing
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	look("GET", "/nowhere")
	look("PATCH", "/healthz")
	look("GET", "/api/v1/devices")
	look("GET", "/assets/wall-ABC.js")

	// Without TLS there is nothing to keep to.
	rec := httptest.NewRecorder()
	h.srv.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if got := rec.Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("in the clear: %q", got)
	}
}

// The policy of the sheet of labels names the style that is sent.
func TestLabelsHaveTheirStyleAlone(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station","name":"<style>*{color:red}</style>"}`, nil)
	res := h.call("operator", "GET", "/api/v1/devices/labels", "", nil)
	page := h.text("/api/v1/devices/labels")
	if csp := res.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "style-src '"+styleHash(page)+"'") || strings.Count(page, "<style>") != 1 {
		t.Errorf("%q, of\n%s", csp, page)
	}
}

// A photo is an image, whatever somebody makes of its address.
func TestPhotosAreServedAsImagesAlone(t *testing.T) {
	h := newHouse(t, nil)
	sha := h.sendPhoto()
	res := h.call("", "GET", "/media/"+sha+".jpg", "", nil)
	for name, want := range map[string]string{"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Content-Disposition": `inline; filename="` + sha + `.jpg"`,
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, name := range []string{sha + ".html", sha + ".svg", sha + ".jpg.html", "..%2f" + sha + ".jpg", strings.ToUpper(sha) + ".jpg"} {
		if res := h.call("", "GET", "/media/"+name, "", nil); res.StatusCode != 404 {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}
