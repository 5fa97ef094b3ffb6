package web

import (
	"errors"
	"net/http"

	"haidang/devices"
	"haidang/devices/credentials"
)

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
