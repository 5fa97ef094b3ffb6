package web

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/websocket"

	"haidang/devices/people"
	"haidang/ingest/deadletters"
)

// routesOf lists "GET /path" of everything that is served: the router's own list,
// so that a new route is walked too.
func (h *house) routesOf() (all [][2]string) {
	h.t.Helper()
	err := chi.Walk(h.srv.handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, [2]string{method, route})
		return nil
	})
	if err != nil || len(all) < 100 {
		h.t.Fatal(len(all), err)
	}
	return all
}

// ask is a request that is neither judged by the description nor followed.
func (h *house) ask(method, path string, heads ...string) *httptest.ResponseRecorder {
	rq := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(heads); i += 2 {
		if rq.Header.Set(heads[i], heads[i+1]); heads[i] == "Host" {
			rq.Host = heads[i+1]
		}
	}
	rec := httptest.NewRecorder()
	h.srv.ServeHTTP(rec, rq)
	return rec
}

// A page of another site that has an administrator's browser ask for something
// changes nothing: on no route, by no way that browsers tell where they come from.
func TestNoOtherSiteActsWithACookie(t *testing.T) {
	h := newHouse(t, withFormats)
	cookie := h.account("boss", people.Grant{Role: "admin"})
	walked := 0
	for _, r := range h.routesOf() {
		if r[0] == "GET" || r[0] == "HEAD" || r[0] == "OPTIONS" {
			continue
		}
		walked++
		for _, from := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "http://example.com.evil.example"}, {"Origin", "null"}} {
			rec := h.ask(r[0], r[1], "Cookie", cookie, from[0], from[1], "Content-Type", "text/plain")
			var p problem
			if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Code != 403 || p.Detail != "a page of another site may not do this" {
				t.Errorf("%s %s with %s: %s is answered %d %s", r[0], r[1], from[0], from[1], rec.Code, rec.Body)
			}
		}
	}
	if walked < 50 {
		t.Errorf("only %d routes change something", walked)
	}
	head := http.Header{"Cookie": {cookie}, "Origin": {"https://evil.example"}}
	if _, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+"/ws", head); err == nil || res == nil || res.StatusCode != 403 {
		t.Errorf("another site's page has a websocket: %v", err)
	}
	if h.ask("GET", "/api/v1/session", "Cookie", cookie).Code != 200 {
		t.Error("the session did not outlive that")
	}
}

// Reading changes nothing: links and images elsewhere can make a browser read with
// its cookie. What is read of people is noted, and refusals are.
func TestReadingChangesNothing(t *testing.T) {
	h := newHouse(t, withFormats)
	cookie := h.account("boss", people.Grant{Role: "admin"})
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station","name":"x"}`, nil)
	h.call("operator", "POST", "/api/v1/devices/d1/readings", `{"values":{"pm25":3}}`, nil)
	sha, alert := h.sendPhoto(), h.raiseAlert()
	h.call("integrator", "POST", "/api/v1/formats/plain", "nothing", nil) // a dead letter
	before, lettersBefore, noted := h.everything(), h.letters(), h.rows(`SELECT max(seq) FROM audit`)[0]
	fill := strings.NewReplacer("/devices/{id}", "/devices/d1", "/alerts/{id}", "/alerts/"+alert, "{file}", sha+".jpg", "/dead-letters/{id}", "/dead-letters/1", "{name}", "boss", "{code}", "QB-0000-0000", "{", "", "}", "")
	for _, r := range h.routesOf() {
		if r[0] != "GET" || r[1] == "/ws" {
			continue
		}
		path := fill.Replace(r[1])
		for _, query := range []string{"", "?id=d1&lat=17&lon=107&export=csv"} {
			if rec := h.ask("GET", path+query, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); rec.Code >= 500 {
				t.Errorf("%s%s: %d %s", path, query, rec.Code, rec.Body)
			}
		}
	}
	for table, rows := range h.everything() {
		if rows != before[table] {
			t.Errorf("reading changed %s, from\n%s\nto\n%s", table, before[table], rows)
		}
	}
	if n := h.letters(); n != lettersBefore {
		t.Errorf("reading made %d dead letters of %d", n, lettersBefore)
	}
	for _, action := range h.rows(`SELECT action FROM audit WHERE seq > ` + noted) {
		if action != "access.refuse" && !strings.HasSuffix(action, ".export") && !strings.HasSuffix(action, ".read") {
			t.Errorf("reading did %s", action)
		}
	}
}

// everything is each table of the state, as text, but for when a session was last
// seen and the audit log, which says what was read.
func (h *house) everything() map[string]string {
	h.t.Helper()
	names := h.rows(`SELECT name FROM sqlite_master WHERE type='table' AND name NOT IN ('session','audit','sqlite_sequence') ORDER BY name`)
	all := map[string]string{}
	for _, n := range names {
		all[n] = strings.Join(h.rows(`SELECT * FROM "`+n+`"`), "\n")
	}
	if len(all) < 15 {
		h.t.Fatalf("only %d tables", len(all))
	}
	return all
}

func (h *house) rows(query string) (out []string) {
	h.t.Helper()
	rows, err := h.db.Query(query)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	for err == nil && rows.Next() {
		values, into := make([]sql.NullString, len(columns)), []any{}
		for i := range values {
			into = append(into, &values[i])
		}
		err = rows.Scan(into...)
		line := ""
		for i, v := range values {
			if i > 0 {
				line += " | "
			}
			line += v.String
		}
		out = append(out, line)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *house) letters() int {
	h.t.Helper()
	ls, _, err := h.srv.DeadLetters.List(h.t.Context(), deadletters.Filter{})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(ls)
}

// Whatever is asked for, and however: nothing sends a browser to another site.
func TestNothingLeadsElsewhere(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.OIDC = OIDC{Issuer: "http://127.0.0.1:1", ClientID: "x", Name: "x", URL: "https://ioc.example.vn", RolesClaim: "groups"} // it is away
	})
	evil := []string{"//evil.example", "https://evil.example/", `/\evil.example`, "/%5cevil.example", "///evil.example", "javascript:alert(1)", "/.//evil.example", "\t//evil.example"}
	led := 0
	look := func(path string, heads ...string) {
		t.Helper()
		for _, method := range []string{"GET", "HEAD"} {
			rec := h.ask(method, path, heads...)
			to := rec.Header().Get("Location")
			if to == "" {
				if rec.Code >= 300 && rec.Code < 400 && rec.Code != 304 {
					t.Errorf("%s %s: %d leads nowhere", method, path, rec.Code)
				}
				continue
			}
			led++
			u, err := url.Parse(to)
			if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
				t.Errorf("%s %s leads to %q", method, path, to)
			}
		}
	}
	for _, r := range h.routesOf() {
		if r[0] != "GET" {
			continue
		}
		for _, e := range evil {
			for _, name := range []string{"next", "url", "redirect", "base", "state"} {
				look(r[1]+"?"+url.Values{name: {e}}.Encode(), "Host", "evil.example", "X-Forwarded-Host", "evil.example", "Authorization", "Bearer admin")
			}
		}
	}
	for _, path := range []string{"//evil.example", "//evil.example/", "//evil.example/%2e%2e", "/%2f%2fevil.example/", `/\evil.example/`, "/assets//evil.example/", "/assets//evil.example/index.html", "/assets/../..//evil.example", "/assets/index.html", "/assets", "/api/v1/", "/wall/", "//evil.example/wall"} {
		look("http://ioc.example.vn" + strings.ReplaceAll(path, `\`, "%5c"))
	}
	if led == 0 {
		t.Error("nothing led anywhere: is sign-in by a provider among the routes?")
	}
}

// Who tries codes learns nothing from the answers: one that nobody has, one that
// is none, and one of another province are answered alike, to whoever asks.
func TestCodesAreNotToldApart(t *testing.T) {
	h := newHouse(t, nil)
	var rep struct{ Code string }
	h.call("", "POST", "/api/v1/reports", `{"category":"khac","description":"x","address":"y"}`, &rep)
	near := rep.Code[:len(rep.Code)-1] + map[bool]string{true: "7", false: "8"}[rep.Code[len(rep.Code)-1] == '8']
	var answers []string
	for _, code := range []string{near, "QB-0000-0000", "HN-0000-0000", "x", "QB-0000-00000", "'%20OR%201=1", strings.Repeat("9", 60)} {
		for _, as := range []string{"", "viewer", "officer"} {
			rq := []string{}
			if as != "" {
				rq = []string{"Authorization", "Bearer " + as}
			}
			rec := h.ask("GET", "/api/v1/reports/"+code, rq...)
			var p problem
			if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			plain, err := url.PathUnescape(code)
			if err != nil {
				t.Fatal(err)
			}
			says := strings.NewReplacer(plain, "CODE", near, "CODE").Replace(p.Detail)
			answers = append(answers, fmt.Sprint(rec.Code, " ", says, " ", slices.Sorted(headNames(rec))))
		}
	}
	for _, a := range answers {
		if a != answers[0] || !strings.HasPrefix(a, "404 ") {
			t.Errorf("%q, another %q", a, answers[0])
		}
	}
	if c := h.ask("GET", "/api/v1/reports/"+rep.Code).Code; c != 200 {
		t.Errorf("the code itself: %d", c)
	}
}

func headNames(rec *httptest.ResponseRecorder) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range rec.Header() {
			if !yield(name) {
				return
			}
		}
	}
}
