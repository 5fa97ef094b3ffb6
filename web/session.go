package web

import (
	"errors"
	"net/http"

	"haidang/devices"
	"haidang/devices/people"
)

// The session's cookie. With TLS it has a prefix that makes browsers take it
// from this host only, over TLS only.
const (
	plainCookie = "haidang_session"
	safeCookie  = "__Host-haidang_session"
)

// sessionView is who asks, and what they may do.
type sessionView struct {
	Name     string          `json:"name"`
	FullName string          `json:"full_name,omitempty"`
	Role     string          `json:"role"`
	Crew     string          `json:"crew,omitempty"`
	Mode     string          `json:"mode"`
	Actions  []people.Action `json:"actions"`
	// Everywhere are those of Actions that have no limits: what looks at the whole
	// centre asks for these.
	Everywhere   []people.Action `json:"everywhere"`
	MustChange   bool            `json:"must_change,omitempty"`
	SecondFactor bool            `json:"second_factor,omitempty"`
}

func viewSession(id *identity) sessionView {
	v := sessionView{Name: id.name, Role: id.rights.Roles(), Crew: id.crew, Mode: id.mode, Actions: id.rights.Actions(), Everywhere: []people.Action{}}
	for _, a := range v.Actions {
		if id.rights.Everywhere(a) {
			v.Everywhere = append(v.Everywhere, a)
		}
	}
	if a := id.account; a != nil {
		v.FullName, v.MustChange, v.SecondFactor = a.FullName, a.MustChange, a.SecondFactor
	}
	return v
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	id := who(r)
	if !id.known() {
		s.fail(w, r, errUnauthorized)
		return
	}
	s.json(w, http.StatusOK, viewSession(id))
}

// postSession signs in, by an account or by a token of the configuration.
func (s *Server) postSession(w http.ResponseWriter, r *http.Request) {
	var b struct{ Token, Account, Password, Code string }
	if err := s.body(w, r, 8192, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	var cookie string
	var err error
	if b.Token != "" {
		cookie, err = s.signInByToken(r, b.Token)
	} else {
		cookie, _, err = s.People.SignIn(r.Context(), people.Attempt{Account: b.Account, Password: b.Password, Code: b.Code, Address: neighbourhood(r), Agent: r.UserAgent()})
	}
	if err != nil {
		if errors.Is(err, people.ErrWrong) {
			s.Log.Warn("sign-in refused", "component", "web", "address", r.RemoteAddr, "request_id", requestID(r))
		}
		s.fail(w, r, err)
		return
	}
	id, err := s.bySession(r.Context(), cookie)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, sessionCookie(r, cookie, 7*24*3600))
	s.json(w, http.StatusOK, viewSession(id))
}

// signInByToken opens a session for who types a token of the configuration.
func (s *Server) signInByToken(r *http.Request, token string) (cookie string, err error) {
	var id *identity
	err = s.People.Try(neighbourhood(r), func() bool {
		id, err = s.byToken(r.Context(), token)
		return err == nil && id.token != ""
	})
	if err != nil {
		return "", err
	}
	return s.People.OpenSession(r.Context(), id.name, people.Session{Token: id.token, Address: neighbourhood(r), Agent: r.UserAgent()})
}

func sessionCookie(r *http.Request, value string, seconds int) *http.Cookie {
	c := &http.Cookie{Name: plainCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: seconds}
	if overTLS(r) {
		c.Name, c.Secure = safeCookie, true
	}
	return c
}

func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request) {
	if id := who(r); id.session != "" {
		if err := s.People.EndSession(r.Context(), id.session, ""); err != nil && !errors.Is(err, devices.ErrNotFound) {
			s.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, sessionCookie(r, "", -1))
	w.WriteHeader(http.StatusNoContent)
}
