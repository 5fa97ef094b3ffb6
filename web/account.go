package web

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices/people"
)

// What somebody does with the account that they signed in with.

func (s *Server) postPassword(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Password    string `json:"password"`
		NewPassword string `json:"new_password"`
	}
	err := s.body(w, r, 8<<10, &b)
	if err == nil {
		id := who(r)
		err = s.People.SetPassword(r.Context(), id.name, b.Password, b.NewPassword, neighbourhood(r), id.session)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// ownSession is a session in the list of who has it.
type ownSession struct {
	people.Session
	// Current is the one that asks.
	Current bool `json:"current"`
}

func (s *Server) listOwnSessions(w http.ResponseWriter, r *http.Request) {
	id := who(r)
	ses, err := s.People.Sessions(r.Context(), id.name)
	items := make([]ownSession, len(ses))
	for i, se := range ses {
		items[i] = ownSession{se, se.ID == id.session}
	}
	s.answer(w, r, http.StatusOK, list{Items: items}, err)
}

func (s *Server) deleteOwnSession(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.People.EndSession(r.Context(), chi.URLParam(r, "id"), who(r).name))
}

// postFactor offers a secret for a second factor.
func (s *Server) postFactor(w http.ResponseWriter, r *http.Request) {
	e := s.People.NewFactor(who(r).name)
	qr, err := qrPNG(e.Address)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusOK, struct {
		people.Enrolment
		QR []byte `json:"qr_png"` // base64 in JSON
	}{e, qr})
}

// putFactor takes it into use.
func (s *Server) putFactor(w http.ResponseWriter, r *http.Request) {
	var b struct{ Password, Secret, Code string }
	err := s.body(w, r, 8<<10, &b)
	var codes []string
	if err == nil {
		codes, err = s.People.EnrolFactor(r.Context(), who(r).name, b.Password, b.Secret, b.Code, neighbourhood(r))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusOK, map[string]any{"recovery_codes": codes})
}

func (s *Server) deleteFactor(w http.ResponseWriter, r *http.Request) {
	var b struct{ Password string }
	err := s.body(w, r, 8<<10, &b)
	if err == nil {
		err = s.People.DropFactor(r.Context(), who(r).name, b.Password, neighbourhood(r))
	}
	s.done(w, r, err)
}

func (s *Server) listTokens(w http.ResponseWriter, r *http.Request) {
	ts, err := s.People.Tokens(r.Context(), who(r).name)
	s.answer(w, r, http.StatusOK, list{Items: some(ts)}, err)
}

func (s *Server) postToken(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Name      string          `json:"name"`
		Actions   []people.Action `json:"actions"`
		ExpiresAt time.Time       `json:"expires_at"`
	}
	err := s.body(w, r, 8<<10, &b)
	var t people.Token
	var secret string
	if err == nil && who(r).account.MustChange {
		err = s.refusal(r)
	}
	if err == nil {
		t, secret, err = s.People.CreateToken(r.Context(), people.Token{Account: who(r).name, Name: b.Name, Actions: b.Actions, ExpiresAt: b.ExpiresAt})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusCreated, map[string]any{"token": t, "secret": secret})
}

func (s *Server) deleteToken(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.People.DeleteToken(r.Context(), chi.URLParam(r, "id"), who(r).name))
}

// done answers with nothing but that it is done.
func (s *Server) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
