package credentials_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/credentials"
)

// csr is a request for a certificate in PEM.
func csr(t *testing.T, key crypto.Signer, name string) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}, DNSNames: []string{"b"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func authority(t *testing.T) (*credentials.Authority, *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	if err := credentials.CreateAuthority(dir, "test", 1); err != nil {
		t.Fatal(err)
	}
	if err := credentials.CreateAuthority(dir, "test", 1); !errors.Is(err, os.ErrExist) {
		t.Errorf("an authority was overwritten: %v", err)
	}
	key := filepath.Join(dir, credentials.AuthorityKey)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info.Mode(), err)
	}
	a, err := credentials.LoadAuthority(filepath.Join(dir, credentials.AuthorityCert), key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	return a, pool
}

func TestCertificateIsADevices(t *testing.T) {
	a, pool := authority(t)
	h := openWith(t, t.TempDir(), credentials.Options{Authority: a})
	issued, text, err := h.IssueCertificate(t.Context(), "b", csr(t, newKey(t), "b"), time.Now().AddDate(50, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("it does not verify: %v", err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: "b"}); err == nil {
		t.Error("it is good for a server")
	}
	if cert.Subject.CommonName != "B" || cert.NotAfter.After(time.Now().AddDate(1, 0, 1)) {
		t.Errorf("issued for %s until %s", cert.Subject.CommonName, cert.NotAfter)
	}
	for _, username := range []string{"", "b", "B"} {
		if p, err := h.SignInCertificate(cert, username); err != nil || p.Device != "B" || !h.Valid(p) {
			t.Errorf("as %q: %+v %v", username, p, err)
		}
	}
	if _, err := h.SignInCertificate(cert, "a"); !errors.Is(err, credentials.ErrRefused) {
		t.Errorf("as another: %v", err)
	}
	pass, _ := h.SignInCertificate(cert, "")
	if _, err := h.RevokeCertificate(t.Context(), "a", issued.Fingerprint); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("revoked another's: %v", err)
	}
	var heard []devices.ID
	h.Watch(func(id devices.ID) { heard = append(heard, id) })
	if c, err := h.RevokeCertificate(t.Context(), "b", issued.Fingerprint); err != nil || c.State(time.Now()) != credentials.Revoked || len(heard) != 1 {
		t.Errorf("revoking: %+v %v, heard %v", c, err, heard)
	}
	for _, h := range []*house{h, openWith(t, h.dir, credentials.Options{Authority: a})} {
		if _, err := h.SignInCertificate(cert, ""); err == nil || h.Valid(pass) {
			t.Error("a revoked certificate is good")
		}
	}
}

func TestRequestsThatAreNotSigned(t *testing.T) {
	a, _ := authority(t)
	h := openWith(t, t.TempDir(), credentials.Options{Authority: a})
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skipf("this Go makes no weak keys: %v", err)
	}
	good := csr(t, newKey(t), "b")
	forged := append([]byte{}, good...)
	forged[len(forged)-60] ^= 1
	year := time.Now().AddDate(1, 0, 0)
	for name, request := range map[string][]byte{"nothing": nil, "no PEM": []byte("hello"), "of another": csr(t, newKey(t), "a"), "weak": csr(t, weak, "b"), "forged": forged, "two": append(good, good...)} {
		if _, _, err := h.IssueCertificate(t.Context(), "b", request, year); err == nil {
			t.Errorf("signed: %s", name)
		} else if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != "csr" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := h.IssueCertificate(t.Context(), "c", good, year); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("for nobody: %v", err)
	}
	if _, _, err := open(t, t.TempDir(), nil).IssueCertificate(t.Context(), "b", good, year); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("without an authority: %v", err)
	}
}

// A device that is not known, with a certificate of a trusted authority, is
// registered when the installation says so.
func TestDeviceWithACertificateRegistersItself(t *testing.T) {
	a, _ := authority(t)
	maker := openWith(t, t.TempDir(), credentials.Options{Authority: a})
	_, text, err := maker.IssueCertificate(t.Context(), "b", csr(t, newKey(t), ""), time.Now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	cert.Subject.CommonName = "new-1"
	if _, err := maker.SignInCertificate(cert, ""); !errors.Is(err, credentials.ErrRefused) {
		t.Errorf("an unknown device: %v", err)
	}
	var h *house
	h = openWith(t, t.TempDir(), credentials.Options{Enroll: func(ctx context.Context, id devices.ID) (*devices.Device, error) { return h.registry.Discover(ctx, id) }})
	if p, err := h.SignInCertificate(cert, "new-1"); err != nil || p.Device != "new-1" {
		t.Errorf("%+v %v", p, err)
	}
	if d, ok := h.registry.Get("new-1"); !ok || !d.Discovered {
		t.Errorf("registered as %+v", d)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	h.Run(cancelled)
	seen, err := h.Certificates(t.Context(), "new-1")
	if err != nil || len(seen) != 1 || seen[0].UsedAt.IsZero() {
		t.Fatalf("seen %+v %v", seen, err)
	}
	if _, err := h.RevokeCertificate(t.Context(), "new-1", seen[0].Fingerprint); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SignInCertificate(cert, ""); !errors.Is(err, credentials.ErrRefused) {
		t.Errorf("revoked: %v", err)
	}
}
