package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"haidang/devices/people"
)

// What an administrator does with accounts, roles and sessions.

func (s *Server) listRoles(w http.ResponseWriter, _ *http.Request) {
	s.json(w, http.StatusOK, list{Items: s.People.Roles()})
}

func (s *Server) putRole(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Name    people.Name     `json:"name"`
		Actions []people.Action `json:"actions"`
	}
	if err := s.body(w, r, 16<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	role, err := s.People.PutRole(r.Context(), people.Role{ID: chi.URLParam(r, "id"), Name: b.Name, Actions: b.Actions})
	s.answer(w, r, http.StatusOK, role, err)
}

func (s *Server) deleteRole(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.People.DeleteRole(r.Context(), chi.URLParam(r, "id")))
}

func (s *Server) listAccounts(w http.ResponseWriter, r *http.Request) {
	limit, err := intParam(r.URL.Query().Get("limit"), "limit", 100, 1000)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	as, next, err := s.People.List(r.Context(), r.URL.Query().Get("cursor"), limit)
	s.answer(w, r, http.StatusOK, list{some(as), next}, err)
}

// accountBody is what may be said of an account.
type accountBody struct {
	Name     string         `json:"name"`
	FullName string         `json:"full_name"`
	Grants   []people.Grant `json:"grants"`
	Crew     string         `json:"crew"`
	Disabled bool           `json:"disabled"`
}

func (b *accountBody) account() people.Account {
	return people.Account{Name: b.Name, FullName: b.FullName, Grants: b.Grants, Crew: b.Crew, Disabled: b.Disabled}
}

func (s *Server) postAccount(w http.ResponseWriter, r *http.Request) {
	var b accountBody
	if err := s.body(w, r, 64<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	a, password, err := s.People.Create(r.Context(), b.account())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusCreated, map[string]any{"account": a, "password": password})
}

func (s *Server) getAccount(w http.ResponseWriter, r *http.Request) {
	a, err := s.People.Get(r.Context(), chi.URLParam(r, "name"))
	s.answer(w, r, http.StatusOK, a, err)
}

func (s *Server) putAccount(w http.ResponseWriter, r *http.Request) {
	var b accountBody
	if err := s.body(w, r, 64<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	b.Name = chi.URLParam(r, "name")
	a, err := s.People.Update(r.Context(), b.account())
	s.answer(w, r, http.StatusOK, a, err)
}

func (s *Server) resetAccount(w http.ResponseWriter, r *http.Request) {
	password, err := s.People.Reset(r.Context(), chi.URLParam(r, "name"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.json(w, http.StatusOK, map[string]string{"password": password})
}

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) {
	ses, err := s.People.Sessions(r.Context(), r.URL.Query().Get("account"))
	s.answer(w, r, http.StatusOK, list{Items: some(ses)}, err)
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.People.EndSession(r.Context(), chi.URLParam(r, "id"), ""))
}
