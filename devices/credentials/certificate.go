package credentials

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Certificate is one by which a device signs in: issued here, or by another
// authority that is trusted and seen here.
type Certificate struct {
	// Fingerprint is the SHA-256 of the whole, in hex; Serial is as its authority
	// numbers it, in hex.
	Fingerprint, Serial string
	Device              devices.ID
	// CreatedAt is when it was issued here, or first seen.
	CreatedAt, NotBefore, NotAfter time.Time
	// RevokedAt and UsedAt are zero for never.
	RevokedAt, UsedAt time.Time
}

// State is its state at a time.
func (c *Certificate) State(now time.Time) State {
	return (&Credential{RevokedAt: c.RevokedAt, NotBefore: c.NotBefore, NotAfter: c.NotAfter}).State(now)
}

// SignInCertificate lets in whom a certificate names, after TLS has verified its
// chain: the common name, or without one the only DNS name, is the device's id.
// A username that comes with it must be that too. The error is ErrRefused.
func (s *Store) SignInCertificate(cert *x509.Certificate, username string) (Pass, error) {
	name := cert.Subject.CommonName
	if name == "" && len(cert.DNSNames) == 1 {
		name = cert.DNSNames[0]
	}
	id, err := devices.ParseID(name)
	if err != nil || username != "" && !strings.EqualFold(username, name) {
		return Pass{}, ErrRefused
	}
	p := Pass{As: id, Certificate: fingerprint(cert), NotAfter: cert.NotAfter}
	if username != "" {
		p.As = devices.ID(username)
	}
	d, ok := s.o.Registry.Get(id)
	if !ok {
		if s.o.Enroll == nil || s.isRevoked(p.Certificate) || !time.Now().Before(cert.NotAfter) {
			return Pass{}, ErrRefused
		}
		ctx := audit.As(context.Background(), audit.Actor{Who: "certificate " + p.Certificate[:16], Role: "device"})
		if d, err = s.o.Enroll(ctx, id); err != nil {
			s.o.Log.Error("a device with a trusted certificate could not be registered", "component", "credentials", "device_id", id, "error", err)
			return Pass{}, ErrRefused
		}
	}
	p.Device = d.ID
	if !s.Valid(p) {
		return Pass{}, ErrRefused
	}
	s.mu.Lock()
	s.shown[p.Certificate] = &Certificate{Fingerprint: p.Certificate, Serial: cert.SerialNumber.Text(16), Device: d.ID, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
		CreatedAt: time.Now(), UsedAt: time.Now()}
	s.mu.Unlock()
	return p, nil
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

func (s *Store) isRevoked(fingerprint string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.revoked[fingerprint]
}

// IssueCertificate signs a device's certificate request (PEM) for a time, and
// returns the certificate. ErrConflict says that there is no authority.
func (s *Store) IssueCertificate(ctx context.Context, id devices.ID, csr []byte, until time.Time) (*Certificate, []byte, error) {
	d, ok := s.o.Registry.Get(id)
	if !ok {
		return nil, nil, fmt.Errorf("device %.80s: %w", id, devices.ErrNotFound)
	}
	if s.o.Authority == nil {
		return nil, nil, fmt.Errorf("this installation has no authority that signs certificates (tls.client_ca_key): %w", devices.ErrConflict)
	}
	if !until.After(time.Now()) {
		return nil, nil, &devices.FieldError{Field: "not_after", Reason: "it must lie after now"}
	}
	cert, err := s.o.Authority.sign(csr, d.ID, until)
	if err != nil {
		return nil, nil, err
	}
	c := &Certificate{Fingerprint: fingerprint(cert), Serial: cert.SerialNumber.Text(16), Device: d.ID, CreatedAt: time.Now().UTC().Truncate(time.Millisecond), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter}
	err = s.inTx(ctx, "issue a certificate", func(tx *sql.Tx) error {
		if err := putCertificate(ctx, tx, c); err != nil {
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Action: "certificate.issue", Kind: "device", ID: string(d.ID), After: c.told()})
	})
	if err != nil {
		return nil, nil, err
	}
	return c, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), nil
}

// AuthorityPEM is the certificate of the authority that signs; nil: there is none.
func (s *Store) AuthorityPEM() []byte {
	if s.o.Authority == nil {
		return nil
	}
	return s.o.Authority.PEM()
}

// RevokeCertificate ends a certificate of a device at once, whoever issued it.
// Again changes nothing.
func (s *Store) RevokeCertificate(ctx context.Context, id devices.ID, fingerprint string) (*Certificate, error) {
	all, err := s.Certificates(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Fingerprint != strings.ToLower(fingerprint) {
			continue
		}
		if !c.RevokedAt.IsZero() {
			return c, nil
		}
		before := c.told()
		c.RevokedAt = time.Now().UTC().Truncate(time.Millisecond)
		err := s.inTx(ctx, "revoke a certificate", func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `UPDATE certificate SET revoked_at=? WHERE fingerprint=?`, toMs(c.RevokedAt), c.Fingerprint); err != nil {
				return err
			}
			return s.o.Audit.Append(ctx, tx, audit.Entry{Action: "certificate.revoke", Kind: "device", ID: string(c.Device), Before: before, After: c.told()})
		})
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.revoked[c.Fingerprint] = true
		s.mu.Unlock()
		s.Changed(c.Device)
		return c, nil
	}
	return nil, fmt.Errorf("certificate %.64q of %.80s: %w", fingerprint, id, devices.ErrNotFound)
}

// Certificates returns a device's certificates, the newest first.
func (s *Store) Certificates(ctx context.Context, id devices.ID) ([]*Certificate, error) {
	if err := s.save(ctx); err != nil { // one may have been shown just now
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT fingerprint,serial,created_at,not_before,not_after,revoked_at,used_at FROM certificate WHERE device=? ORDER BY created_at DESC, fingerprint LIMIT 1000`, id.Key())
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	defer rows.Close()
	var all []*Certificate
	for rows.Next() {
		c := &Certificate{Device: id}
		var created, from, until, revoked, used int64
		if err := rows.Scan(&c.Fingerprint, &c.Serial, &created, &from, &until, &revoked, &used); err != nil {
			return nil, fmt.Errorf("list certificates: %w", err)
		}
		c.CreatedAt, c.NotBefore, c.NotAfter, c.RevokedAt, c.UsedAt = fromMs(created), fromMs(from), fromMs(until), fromMs(revoked), fromMs(used)
		if d, ok := s.o.Registry.Get(id); ok {
			c.Device = d.ID
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// loadRevoked learns of certificates that were revoked since it last looked, here
// or by the command line beside this program, and returns whose they are.
func (s *Store) loadRevoked(ctx context.Context) (of []devices.ID, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT fingerprint,device,revoked_at FROM certificate WHERE revoked_at<>0 AND revoked_at>=?`, s.revokedUntil)
	if err != nil {
		return nil, fmt.Errorf("load revoked certificates: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f, device string
		var at int64
		if err := rows.Scan(&f, &device, &at); err != nil {
			return nil, fmt.Errorf("load revoked certificates: %w", err)
		}
		// Those of a moment ago are looked at again: two programs write.
		s.revokedUntil = max(s.revokedUntil, at-time.Minute.Milliseconds())
		s.mu.Lock()
		known := s.revoked[f]
		s.revoked[f] = true
		s.mu.Unlock()
		if d, ok := s.o.Registry.Get(devices.ID(device)); ok && !known {
			of = append(of, d.ID)
		}
	}
	return of, rows.Err()
}

// putCertificate writes one that was issued, or that a device has shown.
func putCertificate(ctx context.Context, tx *sql.Tx, c *Certificate) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO certificate(fingerprint,device,serial,created_at,not_before,not_after,revoked_at,used_at) VALUES(?,?,?,?,?,?,0,?)
		ON CONFLICT(fingerprint) DO UPDATE SET used_at=excluded.used_at`,
		c.Fingerprint, c.Device.Key(), c.Serial, toMs(c.CreatedAt), toMs(c.NotBefore), toMs(c.NotAfter), toMs(c.UsedAt))
	return err
}

// told is a certificate as the audit log keeps it.
func (c *Certificate) told() json.RawMessage {
	b, err := json.Marshal(struct {
		Fingerprint string    `json:"certificate"`
		Serial      string    `json:"serial"`
		NotAfter    time.Time `json:"not_after"`
		RevokedAt   time.Time `json:"revoked_at,omitzero"`
	}{c.Fingerprint, c.Serial, c.NotAfter.UTC(), c.RevokedAt})
	if err != nil { // a time beyond the year 9999, which X.509 does not have
		panic(err)
	}
	return b
}
