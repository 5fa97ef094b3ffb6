package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"haidang/devices/credentials"
)

// certificateRequest is a request in PEM, of a new key and without a name.
func certificateRequest(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// newAuthority signs devices' certificates.
func newAuthority(t *testing.T) *credentials.Authority {
	t.Helper()
	dir := t.TempDir()
	if err := credentials.CreateAuthority(dir, "test", 1); err != nil {
		t.Fatal(err)
	}
	a, err := credentials.LoadAuthority(dir+"/"+credentials.AuthorityCert, dir+"/"+credentials.AuthorityKey)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
