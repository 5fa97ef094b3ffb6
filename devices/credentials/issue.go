package credentials

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"haidang/devices"
	"haidang/devices/audit"
)

// Terms are what a credential is issued under.
type Terms struct {
	// Label says to people what it is for, on one line of at most 100 bytes.
	Label string
	// NotBefore and NotAfter bound its validity; zero is no bound.
	NotBefore, NotAfter time.Time
}

// Issue makes a credential for a device and returns its secret, this once.
// ErrConflict says that the device has two already that are not over: revoke one
// first.
func (s *Store) Issue(ctx context.Context, id devices.ID, t Terms) (*Credential, string, error) {
	t, err := t.check(time.Now())
	if err != nil {
		return nil, "", err
	}
	c, secret, err := s.make(id, t)
	if err != nil {
		return nil, "", err
	}
	s.write.Lock()
	defer s.write.Unlock()
	switch old := s.unended(c.Device); len(old) {
	case 0:
	case 1:
		c.Slot = 3 - old[0].Slot
	default:
		return nil, "", fmt.Errorf("%s has two credentials that are not over; revoke one first: %w", c.Device, devices.ErrConflict)
	}
	return c, secret, s.put(ctx, []*Credential{c}, nil)
}

// IssueSecret makes a credential that begins at once and has no end, and returns
// its secret, this once. All others of the device end.
func (s *Store) IssueSecret(ctx context.Context, id devices.ID) (string, error) {
	secrets, err := s.IssueSecrets(ctx, []devices.ID{id})
	if err != nil {
		return "", err
	}
	return secrets[0], nil
}

// IssueSecrets is IssueSecret for many devices, all or none, in their order.
// ErrConflict says that one is there twice.
func (s *Store) IssueSecrets(ctx context.Context, ids []devices.ID) (secrets []string, err error) {
	var made, over []*Credential
	given := map[string]bool{}
	for _, id := range ids {
		c, secret, err := s.make(id, Terms{})
		if err != nil {
			return nil, err
		}
		if given[id.Key()] {
			return nil, fmt.Errorf("issue secrets: %s is there twice: %w", id, devices.ErrConflict)
		}
		given[id.Key()] = true
		made, secrets = append(made, c), append(secrets, secret)
	}
	s.write.Lock()
	defer s.write.Unlock()
	for _, id := range ids {
		over = append(over, s.unended(id)...)
	}
	return secrets, s.put(ctx, made, over)
}

// make is a credential that is not there yet, with its secret.
func (s *Store) make(id devices.ID, t Terms) (*Credential, string, error) {
	d, ok := s.o.Registry.Get(id)
	if !ok {
		return nil, "", fmt.Errorf("device %.80s: %w", id, devices.ErrNotFound)
	}
	secret := rand.Text()
	return &Credential{Device: d.ID, Slot: 1, Label: t.Label, CreatedAt: time.Now().UTC().Truncate(time.Millisecond), NotBefore: t.NotBefore, NotAfter: t.NotAfter,
		hash: newHash(secret), mosquitto: newMosquittoHash(secret)}, secret, nil
}

// put writes new credentials and revokes those that they replace, and shows it.
// The caller holds write.
func (s *Store) put(ctx context.Context, made, over []*Credential) error {
	err := s.inTx(ctx, "issue a credential", func(tx *sql.Tx) error {
		for _, c := range over {
			if err := s.end(ctx, tx, c); err != nil {
				return err
			}
		}
		for _, c := range made {
			r, err := tx.ExecContext(ctx, `INSERT INTO credential(device,slot,label,hash,mosquitto,created_at,not_before,not_after,revoked_at,used_at) VALUES(?,?,?,?,?,?,?,?,0,0)`,
				c.Device.Key(), c.Slot, c.Label, c.hash, c.mosquitto, toMs(c.CreatedAt), toMs(c.NotBefore), toMs(c.NotAfter))
			if err != nil {
				return err
			}
			if c.ID, err = r.LastInsertId(); err != nil {
				return err
			}
			if err := s.o.Audit.Append(ctx, tx, audit.Entry{Action: "credential.issue", Kind: "device", ID: string(c.Device), After: c.told()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, c := range over {
		s.forget(c)
	}
	for _, c := range made {
		s.show(c)
	}
	s.mu.Unlock()
	for _, c := range made {
		s.Changed(c.Device)
	}
	return nil
}

// Revoke ends a credential of a device at once. Revoking again changes nothing.
func (s *Store) Revoke(ctx context.Context, id devices.ID, credential int64) (*Credential, error) {
	s.write.Lock()
	defer s.write.Unlock()
	found, err := s.query(ctx, `WHERE id=? AND device=?`, credential, id.Key())
	if err != nil {
		return nil, fmt.Errorf("revoke credential: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("credential %d of %.80s: %w", credential, id, devices.ErrNotFound)
	}
	c := found[0]
	if !c.RevokedAt.IsZero() {
		return c, nil
	}
	if err := s.inTx(ctx, "revoke credential", func(tx *sql.Tx) error { return s.end(ctx, tx, c) }); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.forget(c)
	s.mu.Unlock()
	s.Changed(c.Device)
	return c, nil
}

// end revokes a credential in the database.
func (s *Store) end(ctx context.Context, tx *sql.Tx, c *Credential) error {
	before, now := c.told(), time.Now().UTC().Truncate(time.Millisecond)
	ended := *c
	ended.RevokedAt = now
	if _, err := tx.ExecContext(ctx, `UPDATE credential SET revoked_at=? WHERE id=?`, toMs(now), c.ID); err != nil {
		return err
	}
	return s.o.Audit.Append(ctx, tx, audit.Entry{Action: "credential.revoke", Kind: "device", ID: string(c.Device), Before: before, After: ended.told()})
}

// List returns a device's credentials, the newest first, also those that are
// over.
func (s *Store) List(ctx context.Context, id devices.ID) ([]*Credential, error) {
	all, err := s.query(ctx, `WHERE device=? ORDER BY id DESC LIMIT 1000`, id.Key())
	if err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range all {
		if at, ok := s.used[c.ID]; ok {
			c.UsedAt = at
		}
	}
	return all, nil
}

// unended are a device's credentials that are valid or will be.
func (s *Store) unended(id devices.ID) (cs []*Credential) {
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.live[id.Key()] {
		if c.State(now) != Expired {
			cs = append(cs, c)
		}
	}
	return cs
}

func (s *Store) inTx(ctx context.Context, act string, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	return nil
}

// told is a credential as the audit log keeps it: without anything of the
// secret.
func (c *Credential) told() json.RawMessage {
	b, err := json.Marshal(struct {
		ID        int64     `json:"credential"`
		Slot      int       `json:"slot"`
		Label     string    `json:"label,omitzero"`
		NotBefore time.Time `json:"not_before,omitzero"`
		NotAfter  time.Time `json:"not_after,omitzero"`
		RevokedAt time.Time `json:"revoked_at,omitzero"`
	}{c.ID, c.Slot, c.Label, c.NotBefore, c.NotAfter, c.RevokedAt})
	if err != nil { // a time beyond the year 9999, which Terms do not have
		panic(err)
	}
	return b
}

// check returns t in the form in which it is kept, or says which field is wrong.
func (t Terms) check(now time.Time) (Terms, error) {
	t.Label = strings.TrimSpace(t.Label)
	if len(t.Label) > 100 || !utf8.ValidString(t.Label) || strings.ContainsFunc(t.Label, unicode.IsControl) {
		return t, &devices.FieldError{Field: "label", Reason: "a label is one line of UTF-8 text of at most 100 bytes"}
	}
	for field, at := range map[string]time.Time{"not_before": t.NotBefore, "not_after": t.NotAfter} {
		if !at.IsZero() && (at.Year() < 1970 || at.Year() > 9999) {
			return t, &devices.FieldError{Field: field, Reason: "a year is between 1970 and 9999"}
		}
	}
	t.NotBefore, t.NotAfter = fromMs(toMs(t.NotBefore)), fromMs(toMs(t.NotAfter))
	if !t.NotAfter.IsZero() && (!t.NotAfter.After(now) || !t.NotAfter.After(t.NotBefore)) {
		return t, &devices.FieldError{Field: "not_after", Reason: "it must lie after now and after not_before"}
	}
	return t, nil
}
