package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"haidang/devices/people"
	"haidang/ingest/ingesttest"
)

// visitor is a browser without a screen.
type visitor struct {
	t *testing.T
	http.Client
}

func newVisitor(t *testing.T) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, http.Client{Jar: jar}}
}

// get follows a link to its end.
func (v *visitor) get(at string) (page string, end *url.URL) {
	v.t.Helper()
	res, err := v.Get(at)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b), res.Request.URL
}

var loginID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signIn goes to the provider, types name and password there, and comes back.
func (v *visitor) signIn(h *house, issuer, name, password, next string) *url.URL {
	v.t.Helper()
	page, at := v.get(h.url + oidcPath + "?next=" + url.QueryEscape(next))
	found := loginID.FindStringSubmatch(page)
	if found == nil {
		v.t.Fatalf("%s is no page to sign in: %s", at, page)
	}
	res, err := v.PostForm(issuer+"login/username", url.Values{"id": {found[1]}, "username": {name}, "password": {password}})
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.Request.URL
}

func (v *visitor) session(h *house) (se sessionView) {
	v.t.Helper()
	u, err := url.Parse(h.url)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.Jar.Cookies(u) {
		if c.Name == plainCookie {
			h.call("", "GET", "/api/v1/session", "", &se, "Cookie", c.Name+"="+c.Value)
		}
	}
	return se
}

// With a real provider: who has a role there has it here, at each sign-in anew.
func TestSignInByAnIdentityProvider(t *testing.T) {
	conf := OIDC{ClientID: "web", ClientSecret: "secret", Name: "Tỉnh", Scopes: []string{"profile"}, RolesClaim: "family_name", Roles: map[string]string{"Trực": "operator", "Kiểm tra": "auditor", "Bộ phận": "officer@dong-hoi"}}
	h := newHouse(t, nil)
	h.srv.oidc.OIDC = conf
	h.srv.oidc.URL = h.url
	p := ingesttest.StartProvider(t, h.url+oidcPath+"/callback", ingesttest.ProviderUser{ID: "1", Username: "lan", Password: "p1", FirstName: "Lan", LastName: "Trực"},
		ingesttest.ProviderUser{ID: "2", Username: "nam", Password: "p2", FirstName: "Nam", LastName: "Khách"}, ingesttest.ProviderUser{ID: "3", Username: "boss", Password: "p3", FirstName: "Boss", LastName: "Trực"})
	h.srv.oidc.Issuer = p.Issuer
	var ways map[string]string
	if h.call("", "GET", "/api/v1/sign-in", "", &ways); ways["oidc"] != "Tỉnh" {
		t.Errorf("ways: %v", ways)
	}

	lan := newVisitor(t)
	if at := lan.signIn(h, p.Issuer, "lan", "p1", "/wall"); at.Path != "/wall" || at.RawQuery != "" {
		t.Errorf("she comes to %s", at)
	}
	if se := lan.session(h); se.Name != "lan" || se.FullName != "Lan Trực" || se.Role != "operator" || se.Mode != "account" {
		t.Errorf("%+v", se)
	}
	if res := h.call("", "POST", "/api/v1/session", `{"account":"lan","password":""}`, nil); res.StatusCode != 401 {
		t.Errorf("with no password: %s", res.Status)
	}
	// Her role changes there.
	h.srv.oidc.Roles = map[string]string{"Trực": "officer@dong-hoi"}
	again := newVisitor(t)
	again.signIn(h, p.Issuer, "lan", "p1", "/")
	if se := again.session(h); se.Role != "officer" {
		t.Errorf("after the change: %+v", se)
	}
	if se := lan.session(h); se.Name != "" {
		t.Errorf("her other session goes on: %+v", se)
	}
	refused := func(what string, v *visitor, at *url.URL, why string) {
		t.Helper()
		if se := v.session(h); at.Query().Get("signin") != why || se.Name != "" {
			t.Errorf("%s: %s, %+v", what, at, se)
		}
	}
	nam := newVisitor(t)
	refused("without a role", nam, nam.signIn(h, p.Issuer, "nam", "p2", "/"), oidcNoRole)
	h.account("boss", people.Grant{Role: "admin"})
	boss := newVisitor(t)
	refused("under the name of another", boss, boss.signIn(h, p.Issuer, "boss", "p3", "/"), oidcTaken)
	h.call("admin", "PUT", "/api/v1/accounts/lan", `{"grants":[{"role":"operator"}],"disabled":true}`, nil)
	off := newVisitor(t)
	refused("disabled", off, off.signIn(h, p.Issuer, "lan", "p1", "/"), oidcFailed)

	// An answer that somebody else's browser began, one that was used, one made
	// up: none of them lets anybody in.
	thief := newVisitor(t)
	for name, query := range map[string]string{"made up": "?state=x&code=y", "an error": "?error=access_denied&state=x", "nothing": ""} {
		_, at := thief.get(h.url + oidcPath + "/callback" + query)
		refused(name, thief, at, oidcFailed)
	}
	victim, attacker := newVisitor(t), newVisitor(t)
	attacker.CheckRedirect = func(rq *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(rq.URL.Path, "/callback") && strings.HasPrefix(rq.URL.String(), h.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	page, _ := attacker.get(h.url + oidcPath)
	res, err := attacker.PostForm(p.Issuer+"login/username", url.Values{"id": {loginID.FindStringSubmatch(page)[1]}, "username": {"lan"}, "password": {"p1"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	link := res.Header.Get("Location")
	if !strings.Contains(link, "code=") {
		t.Fatalf("no code in %q", link)
	}
	_, at := victim.get(link)
	refused("a link that carries another's code", victim, at, oidcFailed)
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	for next, want := range map[string]string{"": "/bang", "/wall": "/wall", "/": "/", "/bang?lang=vi#dead": "/bang?lang=vi#dead", "/to/crew-1": "/to/crew-1",
		"//evil.example": "/bang", "/\\evil.example": "/bang", "https://evil.example/": "/bang", "javascript:alert(1)": "/bang", "/%2f/evil": "/bang", "/bang\r\nSet-Cookie: x": "/bang", "/@evil": "/bang", "bang": "/bang"} {
		if got := localPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
	h := newHouse(t, nil)
	if res := h.call("", "GET", oidcPath, "", nil); res.StatusCode != 404 {
		t.Errorf("without a provider: %s", res.Status)
	}
	if got := fmt.Sprint((&oidcClient{OIDC: OIDC{Roles: map[string]string{"a": "viewer", "b": "officer@x"}}}).grants([]any{"b", "c", 3, "a"})); got != "[{officer x []} {viewer  []}]" {
		t.Errorf("a list of groups gives %s", got)
	}
}
