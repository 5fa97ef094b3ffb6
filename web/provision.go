package web

import (
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/credentials"
)

// postProvision lets a device register itself, in ThingsBoard's form: whatever
// becomes of it, the answer is 200 and says it.
func (s *Server) postProvision(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4096))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(s.Credentials.ProvisionJSON(r.Context(), body, r.RemoteAddr))
}

// keyView is a provisioning key as the API shows it.
type keyView struct {
	Key        string         `json:"key"`
	Label      string         `json:"label"`
	Type       devices.TypeID `json:"type,omitempty"`
	Area       string         `json:"area"`
	Agency     string         `json:"agency,omitempty"`
	Pending    bool           `json:"pending"`
	Existing   bool           `json:"existing"`
	Limit      int            `json:"limit"`
	Used       int            `json:"used"`
	CreatedAt  time.Time      `json:"created_at"`
	NotAfter   *time.Time     `json:"not_after,omitempty"`
	DisabledAt *time.Time     `json:"disabled_at,omitempty"`
}

func viewKey(k *credentials.Key) keyView {
	return keyView{k.Key, k.Label, k.Type, k.Area, k.Agency, k.Pending, k.Existing, k.Most, k.Used, k.CreatedAt, orNil(k.NotAfter), orNil(k.DisabledAt)}
}

func (s *Server) listKeys(w http.ResponseWriter, r *http.Request) {
	all, err := s.Credentials.Keys(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := []keyView{}
	for _, k := range all {
		items = append(items, viewKey(k))
	}
	s.json(w, http.StatusOK, list{Items: items})
}

func (s *Server) postKey(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Label    string         `json:"label"`
		Type     devices.TypeID `json:"type"`
		Area     string         `json:"area"`
		Agency   string         `json:"agency"`
		Pending  bool           `json:"pending"`
		Existing bool           `json:"existing"`
		Limit    int            `json:"limit"`
		NotAfter time.Time      `json:"not_after"`
	}
	if err := s.body(w, r, 4096, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	k, secret, err := s.Credentials.CreateKey(r.Context(), credentials.Key{Label: b.Label, Type: b.Type, Area: b.Area, Agency: b.Agency, Pending: b.Pending, Existing: b.Existing, Most: b.Limit, NotAfter: b.NotAfter})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusCreated, struct {
		Key    keyView `json:"provisioning_key"`
		Secret string  `json:"secret"`
	}{viewKey(k), secret})
}

func (s *Server) disableKey(w http.ResponseWriter, r *http.Request) {
	k, err := s.Credentials.DisableKey(r.Context(), chi.URLParam(r, "key"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, viewKey(k))
}
