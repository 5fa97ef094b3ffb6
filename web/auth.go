package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
)

// Role is what somebody may do.
type Role string

// The roles; None is a citizen's. What each may do stands in routes.go.
const (
	None       Role = ""
	Viewer     Role = "viewer"
	CrewRole   Role = "crew"
	Operator   Role = "operator"
	Integrator Role = "integrator" // another system: registers devices and sends for them
	Admin      Role = "admin"
)

// Known says whether r is a role that a token can have.
func (r Role) Known() bool { return slices.Contains(readers, r) }

// These are the rights that routes ask for.
var (
	readers   = []Role{Viewer, CrewRole, Operator, Integrator, Admin}
	operators = []Role{Operator, Admin}
	fielders  = []Role{CrewRole, Operator, Admin}
	keepers   = []Role{Operator, Integrator, Admin} // of devices and what they send
)

// Token is a configured credential: only its SHA-256 is kept.
type Token struct {
	Name string `toml:"name"`
	Role Role   `toml:"role"`
	// Crew binds a crew's token to that crew; empty: a device that crews share.
	Crew   string `toml:"crew"`
	SHA256 string `toml:"sha256"`
}

// identity is who asks.
type identity struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	Crew string `json:"crew,omitempty"`
	Mode string `json:"mode"`
}

// acts says whether the session may act for a crew.
func (id identity) acts(crew string) bool {
	return id.Role != CrewRole || id.Crew == "" || id.Crew == crew
}

type identityKey struct{}

func who(r *http.Request) identity {
	id, _ := r.Context().Value(identityKey{}).(identity)
	return id
}

const sessionCookie = "haidang_session"

// sessions are who signed in on a page; they end with the program.
type sessions struct {
	mu sync.Mutex
	by map[string]session
}

type session struct {
	id    identity
	until time.Time
}

// identify finds out who asks. In open mode everybody on this machine is the
// operator, and nobody else is served at all.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var id identity
		if s.Open {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || !loopbackHost(r.Host) {
				s.fail(w, r, errForbidden)
				return
			}
			id = identity{Name: "demo", Role: Operator, Mode: "open"}
		} else {
			id = s.fromCredentials(r)
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		ctx := audit.As(r.Context(), audit.Actor{Who: id.Name, Role: string(id.Role), Address: host})
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, identityKey{}, id)))
	})
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

func (s *Server) fromCredentials(r *http.Request) identity {
	// "Token" is how clients of InfluxDB say it.
	scheme, t, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Token") {
		return s.byToken(t)
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.mu.Lock()
		defer s.sessions.mu.Unlock()
		if se, ok := s.sessions.by[c.Value]; ok && time.Now().Before(se.until) {
			return se.id
		}
	}
	return identity{Mode: "token"}
}

func (s *Server) byToken(t string) identity {
	sum := sha256.Sum256([]byte(t))
	h := []byte(hex.EncodeToString(sum[:]))
	found := identity{Mode: "token"}
	for _, k := range s.Tokens { // all of them: no early end to time
		if subtle.ConstantTimeCompare(h, []byte(strings.ToLower(k.SHA256))) == 1 {
			found = identity{k.Name, k.Role, k.Crew, "token"}
		}
	}
	return found
}

// need lets through who has one of the roles.
func (s *Server) need(roles []Role, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(roles, who(r).Role) {
			s.refuse(w, r)
			return
		}
		h(w, r)
	}
}

// signsIn says whether secret is that of the registered device id, under whose
// name Basic comes if it does, and answers when it is not. From one address only
// so many wrong ones are looked at; made-up ids fill no memory.
func (s *Server) signsIn(w http.ResponseWriter, r *http.Request, id devices.ID, secret string) (own devices.ID, ok bool) {
	dev, known := s.Registry.Get(id)
	user, _, basic := r.BasicAuth()
	if !basic {
		user = string(id)
	}
	if !known || secret == "" || credentials.DeviceOf(user).Key() != dev.ID.Key() { // no guess
		s.refuse(w, r)
		return "", false
	}
	switch _, err := s.Credentials.SignIn(user, secret, r.RemoteAddr); {
	case errors.Is(err, credentials.ErrTooMany):
		s.fail(w, r, errTooMany)
		return "", false
	case err != nil:
		s.refuse(w, r)
		return "", false
	}
	return dev.ID, true
}

// refuse answers who has no right to what they ask, and logs it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request) {
	id := who(r)
	s.Log.Warn("refused", "component", "web", "who", id.Name, "role", id.Role, "address", r.RemoteAddr, "method", r.Method, "route", r.URL.Path, "request_id", requestID(r))
	if id.Role == None {
		s.fail(w, r, errUnauthorized)
		return
	}
	s.fail(w, r, errForbidden)
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	id := who(r)
	if id.Role == None {
		s.fail(w, r, errUnauthorized)
		return
	}
	s.json(w, http.StatusOK, id)
}

func (s *Server) postSession(w http.ResponseWriter, r *http.Request) {
	var body struct{ Token string }
	if err := s.body(w, r, 4096, &body); err != nil {
		s.fail(w, r, err)
		return
	}
	id := s.byToken(body.Token)
	if id.Role == None { // whoever asks: it is the token that is wrong
		s.Log.Warn("sign-in refused", "component", "web", "address", r.RemoteAddr, "request_id", requestID(r))
		s.fail(w, r, errUnauthorized)
		return
	}
	key := rand.Text()
	s.sessions.mu.Lock()
	for k, se := range s.sessions.by {
		if time.Now().After(se.until) {
			delete(s.sessions.by, k)
		}
	}
	s.sessions.by[key] = session{id, time.Now().Add(12 * time.Hour)}
	s.sessions.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: key, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil, MaxAge: 12 * 3600})
	s.json(w, http.StatusOK, id)
}

func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.mu.Lock()
		delete(s.sessions.by, c.Value)
		s.sessions.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1})
	w.WriteHeader(http.StatusNoContent)
}
