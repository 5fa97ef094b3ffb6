package web

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices/credentials"
	"haidang/devices/people"
)

// certificateView is a device's certificate as the API shows it.
type certificateView struct {
	Fingerprint string            `json:"fingerprint"`
	Serial      string            `json:"serial"`
	State       credentials.State `json:"state"`
	CreatedAt   time.Time         `json:"created_at"`
	NotBefore   time.Time         `json:"not_before"`
	NotAfter    time.Time         `json:"not_after"`
	RevokedAt   *time.Time        `json:"revoked_at,omitempty"`
	UsedAt      *time.Time        `json:"last_used_at,omitempty"`
}

func viewCertificate(c *credentials.Certificate) certificateView {
	return certificateView{c.Fingerprint, c.Serial, c.State(time.Now()), c.CreatedAt, c.NotBefore, c.NotAfter, orNil(c.RevokedAt), orNil(c.UsedAt)}
}

func (s *Server) listCertificates(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	all, err := s.Credentials.Certificates(r.Context(), d.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := []certificateView{}
	for _, c := range all {
		items = append(items, viewCertificate(c))
	}
	s.json(w, http.StatusOK, list{Items: items})
}

// postCertificate signs a device's request, for two years unless it says until
// when.
func (s *Server) postCertificate(w http.ResponseWriter, r *http.Request) {
	var b struct {
		CSR      string    `json:"csr"`
		NotAfter time.Time `json:"not_after"`
	}
	d, err := s.device(r, people.DeviceManage)
	if err == nil {
		err = s.body(w, r, 32<<10, &b)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if b.NotAfter.IsZero() {
		b.NotAfter = time.Now().AddDate(2, 0, 0)
	}
	c, text, err := s.Credentials.IssueCertificate(r.Context(), d.ID, []byte(b.CSR), b.NotAfter)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusCreated, struct {
		Certificate certificateView `json:"certificate"`
		PEM         string          `json:"pem"`
		Authority   string          `json:"authority"`
	}{viewCertificate(c), string(text), string(s.Credentials.AuthorityPEM())})
}

func (s *Server) revokeCertificate(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Credentials.RevokeCertificate(r.Context(), d.ID, chi.URLParam(r, "fingerprint"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, viewCertificate(c))
}
