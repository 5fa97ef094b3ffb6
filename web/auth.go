package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/people"
)

// Token is a configured credential: only its SHA-256 is kept.
type Token struct {
	Name string `toml:"name"`
	// Role is the id of a role that ships, everywhere.
	Role string `toml:"role"`
	// Crew binds a crew's token to that crew; empty: a device that crews share.
	Crew   string `toml:"crew"`
	SHA256 string `toml:"sha256"`
}

// identity is who asks; the zero value is nobody, a citizen.
type identity struct {
	name string
	// mode is how they are known: "open", "token" (of the configuration or of
	// an account) or "account".
	mode   string
	crew   string
	rights people.Rights
	// account is of somebody who signed in on a page with an account, session
	// the id of that session or of a token's.
	account *people.Account
	session string
	cookie  string
	token   string // SHA-256, hex, of a configured token
}

// known says whether somebody asks.
func (id *identity) known() bool { return id.name != "" }

// acts says whether the session may act for a crew.
func (id *identity) acts(crew string) bool {
	return id.rights.Has(people.WorkOrderSend) || id.crew == "" || id.crew == crew
}

type identityKey struct{}

func who(r *http.Request) *identity {
	if id, ok := r.Context().Value(identityKey{}).(*identity); ok {
		return id
	}
	return &identity{}
}

// identify finds out who asks. In open mode everybody on this machine is the
// operator, and nobody else is served at all.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var id *identity
		if s.Open {
			if ip := net.ParseIP(address(r)); ip == nil || !ip.IsLoopback() || !loopbackHost(r.Host) {
				s.fail(w, r, errForbidden)
				return
			}
			id = &identity{name: "demo", mode: "open", rights: s.People.Rights(people.Grant{Role: "operator"})}
		} else {
			var err error
			if id, err = s.fromCredentials(r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		why, err := reason(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		ctx := audit.As(r.Context(), audit.Actor{Who: id.name, Role: id.rights.Roles(), Address: address(r), Why: why})
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, identityKey{}, id)))
	})
}

// reasonHeader says why something is done, in UTF-8 with percent signs as in a
// URL, for acts whose body has no place for it. What the body says counts more.
const reasonHeader, maxReason = "X-Reason", 1000

func reason(r *http.Request) (string, error) {
	why, err := url.PathUnescape(r.Header.Get(reasonHeader))
	why = strings.TrimSpace(why)
	if err != nil || len(why) > maxReason || !utf8.ValidString(why) || strings.ContainsFunc(why, unicode.IsControl) {
		return "", &devices.FieldError{Field: reasonHeader, Reason: fmt.Sprintf("a reason is one line of at most %d bytes of UTF-8, each byte beyond ASCII and each %% written as %%XX", maxReason)}
	}
	return why, nil
}

// address is where a request comes from.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// loopbackHost keeps a web page elsewhere from reaching the open demo by a
// name of its own that points to 127.0.0.1.
func loopbackHost(h string) bool {
	if host, _, err := net.SplitHostPort(h); err == nil {
		h = host
	}
	ip := net.ParseIP(strings.Trim(h, "[]"))
	return h == "localhost" || ip != nil && ip.IsLoopback()
}

// fromCredentials finds who holds the token or the session of a request. What is
// wrong or has ended is nobody's.
func (s *Server) fromCredentials(r *http.Request) (*identity, error) {
	// "Token" is how clients of InfluxDB say it.
	scheme, t, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Token") {
		return s.byToken(r.Context(), t)
	}
	// Over TLS the other cookie may be one that somebody on the way, or a sibling
	// site, has put there.
	name := plainCookie
	if overTLS(r) {
		name = safeCookie
	}
	if c, err := r.Cookie(name); err == nil && c.Value != "" {
		return s.bySession(r.Context(), c.Value)
	}
	return &identity{}, nil
}

func (s *Server) byToken(ctx context.Context, t string) (*identity, error) {
	sum := sha256.Sum256([]byte(t))
	if id := s.byConfigured(hex.EncodeToString(sum[:])); id.known() {
		return id, nil
	}
	tok, a, err := s.People.ByToken(ctx, t)
	if errors.Is(err, devices.ErrNotFound) {
		return &identity{}, nil
	}
	if err != nil {
		return nil, err
	}
	return &identity{name: a.Name + " (" + tok.Name + ")", mode: "token", crew: a.Crew, rights: s.People.Rights(a.Grants...).Only(tok.Actions)}, nil
}

// byConfigured finds the token of the configuration with a hash.
func (s *Server) byConfigured(sum string) *identity {
	found := &identity{}
	for _, k := range s.Tokens { // all of them: no early end to time
		if subtle.ConstantTimeCompare([]byte(sum), []byte(strings.ToLower(k.SHA256))) == 1 {
			found = &identity{name: k.Name, mode: "token", crew: k.Crew, token: sum, rights: s.People.Rights(people.Grant{Role: k.Role})}
		}
	}
	return found
}

// bySession finds who signed in. Until a password that was given is changed, its
// owner may do nothing else.
func (s *Server) bySession(ctx context.Context, cookie string) (*identity, error) {
	se, a, err := s.People.Session(ctx, cookie)
	if errors.Is(err, devices.ErrNotFound) {
		return &identity{}, nil
	}
	if err != nil {
		return nil, err
	}
	if se.Token != "" { // a token that is configured no longer ends its sessions
		id := s.byConfigured(se.Token)
		id.session, id.cookie = se.ID, cookie
		return id, nil
	}
	id := &identity{name: a.Name, mode: "account", crew: a.Crew, account: &a, session: se.ID, cookie: cookie}
	if !a.MustChange {
		id.rights = s.People.Rights(a.Grants...)
	}
	return id, nil
}

// need lets through who may do something somewhere; whether they may do it to
// the thing in question the handler asks (Server.may).
func (s *Server) need(a people.Action, h http.HandlerFunc) http.HandlerFunc {
	return s.guarded(func(id *identity) bool { return id.rights.Has(a) }, h)
}

// needAll lets through who may do something everywhere: for what lies in no
// area.
func (s *Server) needAll(a people.Action, h http.HandlerFunc) http.HandlerFunc {
	return s.guarded(func(id *identity) bool { return id.rights.Everywhere(a) }, h)
}

// needAccount lets through who signed in with an account of their own.
func (s *Server) needAccount(h http.HandlerFunc) http.HandlerFunc {
	return s.guarded(func(id *identity) bool { return id.account != nil }, h)
}

func (s *Server) guarded(may func(*identity) bool, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !may(who(r)) {
			s.refuse(w, r)
			return
		}
		h(w, r)
	}
}

// may says whether who asks may do something to what lies in scope; a refusal is
// noted.
func (s *Server) may(r *http.Request, a people.Action, in people.Scope) error {
	if who(r).rights.Allow(a, in) {
		return nil
	}
	return s.refusal(r)
}

// refuse answers who has no right to what they ask.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request) { s.fail(w, r, s.refusal(r)) }

// refusal notes that somebody was refused: in the log, and of who is known in
// the audit log, there not more than a few times a minute.
func (s *Server) refusal(r *http.Request) error {
	id := who(r)
	s.Log.Warn("refused", "component", "web", "who", id.name, "role", id.rights.Roles(), "address", r.RemoteAddr, "method", r.Method, "route", r.URL.Path, "request_id", requestID(r))
	if !id.known() {
		return errUnauthorized
	}
	if s.refusals.of(id.name).Allow() {
		s.note(r, audit.Entry{Action: "access.refuse", Kind: "route", ID: r.Method + " " + cut(r.URL.Path, 200)})
	}
	return errForbidden
}

// note records what was done, after it was: a failure is logged.
func (s *Server) note(r *http.Request, e audit.Entry) {
	if err := s.Audit.Record(r.Context(), e); err != nil {
		s.Log.Error("record an act in the audit log", "component", "web", "action", e.Action, "id", e.ID, "error", err)
	}
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
