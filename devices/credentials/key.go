package credentials

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Key lets devices register themselves (Provision). What they become is said
// here, not by them.
type Key struct {
	// Key names it; the secret that goes with it is shown once.
	Key   string
	Label string
	// Type, Area and Agency are those of the devices that it makes.
	Type         devices.TypeID
	Area, Agency string
	// Pending has them wait for somebody's approval: they sign in, and what they
	// say waits with them.
	Pending bool
	// Existing makes no devices: it gives a first credential to one that is
	// registered and never had one.
	Existing bool
	// Most is how many devices it is good for, 0 without bound; Used how many
	// there were.
	Most, Used int
	// NotAfter ends it by itself, DisabledAt is when somebody did; zero: never.
	CreatedAt, NotAfter, DisabledAt time.Time

	hash string
}

// device is one that k makes.
func (k *Key) device(id devices.ID) devices.Device {
	d := devices.Device{ID: id, Type: k.Type, Area: k.Area, Agency: k.Agency, Name: string(id), Discovered: true}
	if k.Pending {
		d.Life = devices.Pending
	}
	return d
}

// over says in words why a key is not good any more; empty: it is.
func (k *Key) over(now time.Time) string {
	switch {
	case !k.DisabledAt.IsZero():
		return "the provisioning key is disabled"
	case !k.NotAfter.IsZero() && !now.Before(k.NotAfter):
		return "the provisioning key has expired"
	case k.Most > 0 && k.Used >= k.Most:
		return fmt.Sprintf("the provisioning key was good for %d devices, which are there", k.Most)
	}
	return ""
}

// CreateKey makes a key and returns its secret, this once.
func (s *Store) CreateKey(ctx context.Context, k Key) (*Key, string, error) {
	t, err := Terms{Label: k.Label, NotAfter: k.NotAfter}.check(time.Now())
	if err != nil {
		return nil, "", err
	}
	if k.Most < 0 {
		return nil, "", &devices.FieldError{Field: "limit", Reason: "a number of devices, or 0 for no bound"}
	}
	if k.Existing && k.Pending {
		return nil, "", &devices.FieldError{Field: "pending", Reason: "a key for registered devices leaves them as they are"}
	}
	if !k.Existing {
		// The registry knows what a device may be: ask it with one that is not kept.
		if _, err := s.o.Registry.Check(k.device("provisioned"), nil); err != nil {
			return nil, "", err
		}
	}
	secret := rand.Text()
	n := &Key{Key: rand.Text()[:12], Label: t.Label, Type: k.Type, Area: k.Area, Agency: k.Agency, Pending: k.Pending, Existing: k.Existing, Most: k.Most, CreatedAt: time.Now().UTC().Truncate(time.Millisecond), NotAfter: t.NotAfter, hash: newHash(secret)}
	err = s.inTx(ctx, "make a provisioning key", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO provisioning_key(key,hash,label,type,area,agency,pending,existing,most,used,created_at,not_after,disabled_at) VALUES(?,?,?,?,?,?,?,?,?,0,?,?,0)`,
			n.Key, n.hash, n.Label, string(n.Type), n.Area, n.Agency, n.Pending, n.Existing, n.Most, toMs(n.CreatedAt), toMs(n.NotAfter))
		if err != nil {
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Action: "provisioning.create", Kind: "provisioning_key", ID: n.Key, After: n.told()})
	})
	if err != nil {
		return nil, "", err
	}
	return n, secret, nil
}

// DisableKey ends a key. Devices that it made stay. Again changes nothing.
func (s *Store) DisableKey(ctx context.Context, key string) (*Key, error) {
	var k *Key
	err := s.inTx(ctx, "disable a provisioning key", func(tx *sql.Tx) (err error) {
		if k, err = getKey(tx.QueryRowContext(ctx, selectKeys+` WHERE key=?`, key)); err != nil || !k.DisabledAt.IsZero() {
			return err
		}
		before := k.told()
		k.DisabledAt = time.Now().UTC().Truncate(time.Millisecond)
		if _, err := tx.ExecContext(ctx, `UPDATE provisioning_key SET disabled_at=? WHERE key=?`, toMs(k.DisabledAt), key); err != nil {
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Action: "provisioning.disable", Kind: "provisioning_key", ID: key, Before: before, After: k.told()})
	})
	return k, err
}

// Keys returns all keys, the newest first.
func (s *Store) Keys(ctx context.Context) ([]*Key, error) {
	rows, err := s.db.QueryContext(ctx, selectKeys+` ORDER BY created_at DESC, key LIMIT 1000`)
	if err != nil {
		return nil, fmt.Errorf("list provisioning keys: %w", err)
	}
	defer rows.Close()
	var all []*Key
	for rows.Next() {
		k, err := getKey(rows)
		if err != nil {
			return nil, fmt.Errorf("list provisioning keys: %w", err)
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

const selectKeys = `SELECT key,hash,label,type,area,agency,pending,existing,most,used,created_at,not_after,disabled_at FROM provisioning_key`

type scanner interface{ Scan(...any) error }

func getKey(row scanner) (*Key, error) {
	k := &Key{}
	var created, until, disabled int64
	err := row.Scan(&k.Key, &k.hash, &k.Label, &k.Type, &k.Area, &k.Agency, &k.Pending, &k.Existing, &k.Most, &k.Used, &created, &until, &disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("provisioning key: %w", devices.ErrNotFound)
	}
	k.CreatedAt, k.NotAfter, k.DisabledAt = fromMs(created), fromMs(until), fromMs(disabled)
	return k, err
}

// told is a key as the audit log keeps it.
func (k *Key) told() json.RawMessage {
	b, err := json.Marshal(struct {
		Label      string         `json:"label,omitzero"`
		Type       devices.TypeID `json:"type,omitzero"`
		Area       string         `json:"area,omitzero"`
		Agency     string         `json:"agency,omitzero"`
		Pending    bool           `json:"pending,omitzero"`
		Existing   bool           `json:"existing,omitzero"`
		Most       int            `json:"limit,omitzero"`
		Used       int            `json:"used"`
		NotAfter   time.Time      `json:"not_after,omitzero"`
		DisabledAt time.Time      `json:"disabled_at,omitzero"`
	}{k.Label, k.Type, k.Area, k.Agency, k.Pending, k.Existing, k.Most, k.Used, k.NotAfter, k.DisabledAt})
	if err != nil { // a time beyond the year 9999, which keys do not have
		panic(err)
	}
	return b
}
