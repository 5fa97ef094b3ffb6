package web

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// Whatever goes wrong, the answer says what, as a problem document.
func TestEveryErrorIsAProblemDocument(t *testing.T) {
	h := newHouse(t, nil)
	if res := h.call("operator", "POST", "/api/v1/devices", `{"id":"qb-1","type":"air_station","name":"x"}`, nil); res.StatusCode != 201 {
		t.Fatalf("make a device: %d", res.StatusCode)
	}
	const dev = "/api/v1/devices"
	for name, c := range map[string]struct {
		as, method, path, body string
		status                 int
		field                  string
		heads                  []string
	}{
		"no such route":       {"operator", "GET", "/api/v1/nothing", "", 404, "", nil},
		"wrong method":        {"operator", "PUT", dev, "", 405, "", nil},
		"not signed in":       {"", "GET", dev, "", 401, "", nil},
		"wrong token":         {"guess", "GET", dev, "", 401, "", nil},
		"no right":            {"viewer", "POST", dev, "{}", 403, "", nil},
		"another site":        {"operator", "POST", dev, "{}", 403, "", []string{"Origin", "https://elsewhere.example"}},
		"no such device":      {"viewer", "GET", dev + "/qb-9", "", 404, "", nil},
		"no such alert":       {"viewer", "GET", "/api/v1/alerts/x", "", 404, "", nil},
		"no such report":      {"", "GET", "/api/v1/reports/QB-0000-0000", "", 404, "", nil},
		"no such order":       {"viewer", "GET", "/api/v1/work-orders/x", "", 404, "", nil},
		"no such dead letter": {"operator", "POST", "/api/v1/dead-letters/77/replay", "", 404, "", nil},
		"dead letter, no id":  {"operator", "GET", "/api/v1/dead-letters/x", "", 404, "", nil},
		"no such payload":     {"operator", "GET", "/api/v1/dead-letters/77/payload", "", 404, "", nil},
		"no such photo":       {"", "GET", "/media/../../etc/passwd.jpg", "", 404, "", nil},
		"id taken":            {"operator", "POST", dev, `{"id":"QB-1","type":"air_station","name":"x"}`, 409, "", nil},
		"bad id":              {"operator", "POST", dev, `{"id":"a b","type":"air_station"}`, 422, "id", nil},
		"half a place":        {"operator", "POST", dev, `{"id":"b","type":"air_station","lat":17}`, 422, "lat", nil},
		"interval":            {"operator", "POST", dev, `{"id":"b","type":"air_station","expected_interval_s":1e300}`, 422, "expected_interval_s", nil},
		"misspelt member":     {"operator", "POST", dev, `{"idd":"b"}`, 400, "", nil},
		"not JSON":            {"operator", "POST", dev, `{`, 400, "", nil},
		"too large":           {"operator", "POST", dev, `{"name":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "", nil},
		"limit":               {"viewer", "GET", dev + "?limit=-1", "", 422, "limit", nil},
		"cursor":              {"viewer", "GET", "/api/v1/alerts?cursor=x", "", 422, "cursor", nil},
		"alert state":         {"viewer", "GET", "/api/v1/alerts?state=red", "", 422, "state", nil},
		"time":                {"viewer", "GET", dev + "/qb-1/readings?from=yesterday", "", 422, "from", nil},
		"span":                {"viewer", "GET", dev + "/qb-1/readings?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "", 422, "from", nil},
		"no metric":           {"viewer", "GET", dev + "/qb-1/series", "", 422, "metric", nil},
		"window":              {"viewer", "GET", dev + "/qb-1/series?metric=pm25&window=1ms", "", 422, "window", nil},
		"windows":             {"viewer", "GET", dev + "/qb-1/series?metric=pm25&window=1s", "", 422, "window", nil},
		"no metric by hour":   {"viewer", "GET", dev + "/qb-1/rollups", "", 422, "metric", nil},
		"period":              {"viewer", "GET", dev + "/qb-1/rollups?metric=pm25&period=week", "", 422, "period", nil},
		"years of hours":      {"viewer", "GET", dev + "/qb-1/rollups?metric=pm25&from=2020-01-01T00:00:00Z", "", 422, "from", nil},
		"aggregate":           {"viewer", "GET", dev + "/qb-1/series?metric=pm25&agg=sum", "", 422, "agg", nil},
		"readings, no words":  {"operator", "POST", dev + "/qb-1/readings", `{"values":`, 422, "", nil},
		"readings, not it":    {"", "POST", dev + "/qb-1/readings", `{}`, 401, "", []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("qb-1:guess"))}},
		"empty report":        {"", "POST", "/api/v1/reports", `{}`, 422, "", nil},
		"report not JSON":     {"", "POST", "/api/v1/reports", `[]`, 400, "", nil},
		"asset":               {"", "GET", "/assets/", "", 404, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var p problem
			res := h.call(c.as, c.method, c.path, c.body, &p, c.heads...)
			if res.StatusCode != c.status || p.Status != c.status || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("got %d (%s), want %d: %+v", res.StatusCode, res.Header.Get("Content-Type"), c.status, p)
			}
			if p.Title == "" || p.Detail == "" || p.Request == "" || p.Request != res.Header.Get("X-Request-Id") {
				t.Errorf("not all told: %+v", p)
			}
			if c.field != "" && (len(p.Errors) == 0 || p.Errors[0].Field != c.field) {
				t.Errorf("names %+v, want %s", p.Errors, c.field)
			}
			if c.status == 401 && res.Header.Get("WWW-Authenticate") == "" {
				t.Error("a 401 that does not say how to sign in")
			}
			if (c.status == 401 || name == "no right") && !strings.Contains(h.log.String(), p.Request) {
				t.Error("this refusal is not in the log")
			}
		})
	}
}

// What goes wrong inside is told to the log, never to the caller.
func TestPanicAndUnknownErrorsTellNothing(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Ready = func() error { panic("secret") } })
	var p problem
	if h.call("", "GET", "/readyz", "", &p); p.Status != 500 || p.Detail != "" || !strings.Contains(h.log.String(), p.Request) {
		t.Errorf("%+v", p)
	}
	h = newHouse(t, func(o *Options) { o.Ready = func() error { return errors.New("the disk is full") } })
	if res := h.call("", "GET", "/readyz", "", nil); res.StatusCode != 503 {
		t.Errorf("not ready: %d", res.StatusCode)
	}
	if res := h.call("", "GET", "/healthz", "", nil); res.StatusCode != 200 {
		t.Errorf("alive: %d", res.StatusCode)
	}
}

func TestPagesAndHeaders(t *testing.T) {
	h := newHouse(t, nil)
	for path, want := range map[string]int{"/": 200, "/wall": 200, "/phan-anh": 200, "/report": 200, "/phan-anh/QB-1": 200, "/to": 200, "/to/crew-1": 200,
		"/crew": 200, "/bang": 200, "/console": 200, "/assets/wall-ABC.js": 200, "/openapi.json": 200, "/assets/none.js": 404} {
		res := h.call("", "GET", path, "", nil)
		csp := res.Header.Get("Content-Security-Policy")
		if res.StatusCode != want || res.Header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(csp, "script-src 'self';") != (strings.Count(path, ".") == 0) {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
		if kept := strings.Contains(res.Header.Get("Cache-Control"), "immutable"); kept != (path == "/assets/wall-ABC.js") {
			t.Errorf("%s: Cache-Control %q", path, res.Header.Get("Cache-Control"))
		}
	}
	if c := h.call("", "GET", "/wall?lang=en", "", nil).Header.Get("Set-Cookie"); !strings.HasPrefix(c, "lang=en") {
		t.Errorf("language cookie %q", c)
	}
}
