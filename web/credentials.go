package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/credentials"
	"haidang/devices/people"
)

// credentialView is a credential as the API shows it, without its secret.
type credentialView struct {
	ID        int64             `json:"id"`
	Username  string            `json:"username"`
	Label     string            `json:"label"`
	State     credentials.State `json:"state"`
	CreatedAt time.Time         `json:"created_at"`
	NotBefore *time.Time        `json:"not_before,omitempty"`
	NotAfter  *time.Time        `json:"not_after,omitempty"`
	RevokedAt *time.Time        `json:"revoked_at,omitempty"`
	UsedAt    *time.Time        `json:"last_used_at,omitempty"`
}

func viewCredential(c *credentials.Credential) credentialView {
	return credentialView{c.ID, c.Username(), c.Label, c.State(time.Now()), c.CreatedAt, orNil(c.NotBefore), orNil(c.NotAfter), orNil(c.RevokedAt), orNil(c.UsedAt)}
}

// orNil is a time, or nil for the zero one, which is never.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Server) listCredentials(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	all, err := s.Credentials.List(r.Context(), d.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := []credentialView{}
	for _, c := range all {
		items = append(items, viewCredential(c))
	}
	s.json(w, http.StatusOK, list{Items: items})
}

// postCredential issues a credential beside those that are valid, and shows its
// secret, this once.
func (s *Server) postCredential(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Label     string    `json:"label"`
		NotBefore time.Time `json:"not_before"`
		NotAfter  time.Time `json:"not_after"`
	}
	d, err := s.device(r, people.DeviceManage)
	if err == nil {
		err = s.body(w, r, 4096, &b)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, secret, err := s.Credentials.Issue(r.Context(), d.ID, credentials.Terms{Label: b.Label, NotBefore: b.NotBefore, NotAfter: b.NotAfter})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusCreated, struct {
		Credential credentialView `json:"credential"`
		Secret     string         `json:"secret"`
	}{viewCredential(c), secret})
}

func (s *Server) revokeCredential(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id, err := strconv.ParseInt(chi.URLParam(r, "credential"), 10, 64)
	if err != nil {
		s.fail(w, r, fmt.Errorf("credential %.40q: %w", chi.URLParam(r, "credential"), devices.ErrNotFound))
		return
	}
	c, err := s.Credentials.Revoke(r.Context(), d.ID, id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, viewCredential(c))
}
