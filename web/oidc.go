package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"haidang/devices"
	"haidang/devices/people"
)

// OIDC names an identity provider by which people may sign in: OpenID Connect,
// authorization code with PKCE.
type OIDC struct {
	// Issuer is the provider's address; empty: there is none.
	Issuer       string `toml:"issuer"`
	ClientID     string `toml:"client_id"`
	ClientSecret string `toml:"client_secret"`
	// Name is what the button on the sign-in page says.
	Name string `toml:"name"`
	// URL is this program's address as browsers know it; the provider sends
	// them back to URL/api/v1/session/oidc/callback.
	URL    string   `toml:"url"`
	Scopes []string `toml:"scopes"`
	// RolesClaim is the claim, a text or a list of them, that says what somebody
	// may do, and Roles what each of its values means: ROLE or ROLE@AREA. Who
	// has none of them does not enter.
	RolesClaim string            `toml:"roles_claim"`
	Roles      map[string]string `toml:"roles"`
}

// oidcClient is the other side of a provider. It is found out about when
// somebody first signs in: one that is away then does not keep the program from
// starting.
type oidcClient struct {
	OIDC
	mu       sync.Mutex
	provider *oidc.Provider
	pending  map[string]pendingSignIn // by state
}

// pendingSignIn is somebody who is at the provider.
type pendingSignIn struct {
	nonce, verifier, next string
	until                 time.Time
}

const (
	oidcCookie  = "haidang_oidc"
	oidcPath    = "/api/v1/session/oidc"
	oidcWait    = 10 * time.Minute
	mostPending = 10_000
)

// Why a sign-in by the provider did not come to an end; the page has words for
// each.
const (
	oidcFailed = "failed" // the provider or the way there
	oidcNoRole = "norole" // known, and nothing to do here
	oidcTaken  = "taken"  // the name is another account's
)

// discover asks the provider once what it can do.
func (c *oidcClient) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.provider == nil {
		// It outlives the request: keys are fetched anew with its context.
		p, err := oidc.NewProvider(context.WithoutCancel(ctx), c.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("ask identity provider: %w", err)
		}
		c.provider = p
	}
	return c.provider, &oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, Endpoint: c.provider.Endpoint(),
		RedirectURL: strings.TrimSuffix(c.URL, "/") + oidcPath + "/callback", Scopes: append([]string{oidc.ScopeOpenID}, c.Scopes...)}, nil
}

// begin notes somebody who goes to the provider, and returns their state.
func (c *oidcClient) begin(p pendingSignIn) (state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, old := range c.pending {
		if len(c.pending) >= mostPending || time.Now().After(old.until) {
			delete(c.pending, k)
		}
	}
	state = rand.Text()
	c.pending[state] = p
	return state
}

// end takes what begin noted, once.
func (c *oidcClient) end(state string) (pendingSignIn, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.pending[state]
	delete(c.pending, state)
	return p, ok && time.Now().Before(p.until)
}

// signInWays tells the sign-in page what there is beside accounts and tokens.
func (s *Server) signInWays(w http.ResponseWriter, _ *http.Request) {
	ways := map[string]string{}
	if s.oidc.Issuer != "" {
		ways["oidc"] = s.oidc.Name
	}
	s.json(w, http.StatusOK, ways)
}

// beginOIDC sends a browser to the provider.
func (s *Server) beginOIDC(w http.ResponseWriter, r *http.Request) {
	if s.oidc.Issuer == "" {
		s.fail(w, r, errNoRoute)
		return
	}
	_, conf, err := s.oidc.discover(r.Context())
	if err != nil {
		s.endOIDC(w, r, "/bang", oidcFailed, err)
		return
	}
	p := pendingSignIn{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), next: localPath(r.URL.Query().Get("next")), until: time.Now().Add(oidcWait)}
	state := s.oidc.begin(p)
	// The cookie ties the way back to this browser: nobody can be made to come
	// in as somebody else.
	http.SetCookie(w, &http.Cookie{Name: oidcCookie, Value: state, Path: oidcPath, HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteLaxMode, MaxAge: int(oidcWait.Seconds())})
	http.Redirect(w, r, conf.AuthCodeURL(state, oidc.Nonce(p.nonce), oauth2.S256ChallengeOption(p.verifier)), http.StatusFound)
}

// localPath keeps a way back to pages of this program: whoever made the link
// sends nobody elsewhere.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !pageForm.MatchString(next) {
		return "/bang"
	}
	return next
}

var pageForm = regexp.MustCompile(`^/(?:[A-Za-z0-9-][A-Za-z0-9/?=&#_.-]*)?$`)

// takeOIDC takes a browser back from the provider.
func (s *Server) takeOIDC(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	state := q.Get("state")
	c, err := r.Cookie(oidcCookie)
	ours := err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(state)) == 1
	http.SetCookie(w, &http.Cookie{Name: oidcCookie, Path: oidcPath, MaxAge: -1})
	if s.oidc.Issuer == "" || !ours {
		s.endOIDC(w, r, "/bang", oidcFailed, errors.New("the answer of the identity provider is not for this browser"))
		return
	}
	p, ok := s.oidc.end(state)
	if !ok {
		s.endOIDC(w, r, "/bang", oidcFailed, errors.New("it took too long, or was answered before"))
		return
	}
	x, err := s.oidc.who(r.Context(), q, p)
	if err != nil {
		s.endOIDC(w, r, p.next, oidcFailed, err)
		return
	}
	if len(x.Grants) == 0 {
		s.endOIDC(w, r, p.next, oidcNoRole, fmt.Errorf("%s has no role here", x.Name))
		return
	}
	x.Address, x.Agent = neighbourhood(r), r.UserAgent()
	cookie, err := s.People.SignInExternal(r.Context(), x)
	switch {
	case errors.Is(err, devices.ErrConflict):
		s.endOIDC(w, r, p.next, oidcTaken, err)
		return
	case err != nil:
		s.endOIDC(w, r, p.next, oidcFailed, err)
		return
	}
	http.SetCookie(w, sessionCookie(r, cookie, 7*24*3600))
	http.Redirect(w, r, p.next, http.StatusFound)
}

// endOIDC brings a browser back with why it did not come in; the log says more.
func (s *Server) endOIDC(w http.ResponseWriter, r *http.Request, next, why string, err error) {
	s.Log.Warn("sign-in by identity provider refused", "component", "web", "address", r.RemoteAddr, "request_id", requestID(r), "error", err)
	path, _, _ := strings.Cut(next, "?")
	path, _, _ = strings.Cut(path, "#")
	http.Redirect(w, r, path+"?signin="+why, http.StatusFound)
}

// who asks the provider who came back, and checks what it says.
func (c *oidcClient) who(ctx context.Context, q url.Values, p pendingSignIn) (x people.External, err error) {
	if e := q.Get("error"); e != "" {
		return x, fmt.Errorf("the identity provider says %.100q", e)
	}
	provider, conf, err := c.discover(ctx)
	if err != nil {
		return x, err
	}
	tok, err := conf.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(p.verifier))
	if err != nil {
		return x, fmt.Errorf("redeem code: %w", err)
	}
	raw, _ := tok.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: c.ClientID}).Verify(ctx, raw)
	if err != nil {
		return x, fmt.Errorf("check id token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(p.nonce)) != 1 {
		return x, errors.New("check id token: it is not for this sign-in (nonce)")
	}
	claims := map[string]any{}
	// Many providers keep all but the subject out of the token.
	if info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tok)); err == nil && info.Subject == id.Subject {
		if err := info.Claims(&claims); err != nil {
			return x, fmt.Errorf("read user info: %w", err)
		}
	}
	if err := id.Claims(&claims); err != nil {
		return x, fmt.Errorf("read id token: %w", err)
	}
	x = people.External{Subject: c.Issuer + "#" + id.Subject, Name: accountName(claims, id.Subject), Grants: c.grants(claims[c.RolesClaim])}
	x.FullName, _ = claims["name"].(string)
	x.FullName = cut(x.FullName, 200)
	return x, nil
}

var accountForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$`)

// accountName is what to call somebody: as the provider does, when that can be a
// name here.
func accountName(claims map[string]any, subject string) string {
	for _, claim := range []string{"preferred_username", "email"} {
		if name, _ := claims[claim].(string); accountForm.MatchString(name) {
			return name
		}
	}
	sum := sha256.Sum256([]byte(subject))
	return "oidc-" + hex.EncodeToString(sum[:6])
}

// grants are what the values of the claim mean here.
func (c *oidcClient) grants(claim any) (gs []people.Grant) {
	values, _ := claim.([]any)
	if one, ok := claim.(string); ok {
		values = []any{one}
	}
	for _, v := range values {
		if role, ok := c.Roles[fmt.Sprint(v)]; ok {
			id, area, _ := strings.Cut(role, "@")
			gs = append(gs, people.Grant{Role: id, Area: area})
		}
	}
	return gs
}
