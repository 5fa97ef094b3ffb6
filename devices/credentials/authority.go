package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"haidang/devices"
)

// The files of an authority in its folder.
const (
	AuthorityCert = "ca.crt"
	AuthorityKey  = "ca.key"
)

// Authority signs the certificates of an installation's devices.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// CreateAuthority makes an authority's key and certificate in dir, for years.
// Whoever has the key can sign in as any device. One that is there is left.
func CreateAuthority(dir, name string, years int) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the authority's key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: newSerial(), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(years, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make the authority's certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make the authority's key: %w", err)
	}
	// The key first: a certificate without one would look like an authority.
	if err := writeNew(filepath.Join(dir, AuthorityKey), 0o600, "PRIVATE KEY", secret); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, AuthorityCert), 0o644, "CERTIFICATE", der)
}

// writeNew writes a PEM file where there is none.
func writeNew(path string, mode os.FileMode, kind string, der []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// LoadAuthority reads an authority's certificate and key.
func LoadAuthority(certFile, keyFile string) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the devices' authority: %w", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("read the devices' authority: %s is not the certificate of one", certFile)
	}
	return &Authority{pair.Leaf, key}, nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// sign makes a certificate for a device, of the key in its request. What else
// the request asks for is not given: the device is who we say.
func (a *Authority) sign(csr []byte, id devices.ID, until time.Time) (*x509.Certificate, error) {
	bad := func(why string) error { return &devices.FieldError{Field: "csr", Reason: why} }
	block, rest := pem.Decode(csr)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(rest) > 2 {
		return nil, bad("one PEM block CERTIFICATE REQUEST is expected, as openssl req -new makes it")
	}
	rq, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, bad("it is no certificate request: " + err.Error())
	}
	if err := rq.CheckSignature(); err != nil {
		return nil, bad("it is not signed with its own key")
	}
	if k, ok := rq.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		return nil, bad("an RSA key has at least 2048 bits")
	}
	if name := rq.Subject.CommonName; name != "" && devices.ID(name).Key() != id.Key() {
		return nil, bad(fmt.Sprintf("it names %.64q, not %s", name, id))
	}
	if until.After(a.cert.NotAfter) {
		until = a.cert.NotAfter
	}
	template := &x509.Certificate{SerialNumber: newSerial(), Subject: pkix.Name{CommonName: string(id)}, NotBefore: time.Now().Add(-5 * time.Minute), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, rq.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// newSerial is a random number of 127 bits (RFC 5280, 4.1.2.2: positive, at most
// 20 octets).
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}
