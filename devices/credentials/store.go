package credentials

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry knows the devices.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	Check(d devices.Device, also map[string]*devices.Device) (devices.Device, error)
	Create(context.Context, devices.Device) (*devices.Device, error)
}

// Auditor records a change in the transaction that makes it.
type Auditor interface {
	Append(context.Context, *sql.Tx, audit.Entry) error
}

// Options are what a store needs beside its database.
type Options struct {
	Registry Registry
	Audit    Auditor
	// Allowed says in words why a device may not sign in, whatever it shows;
	// nil: it may. A nil func allows all. Who changes its answer calls Changed.
	Allowed func(devices.ID) error
	// Authority signs devices' certificates; nil: they are not issued here.
	Authority *Authority
	// Enroll registers a device that is not known and shows a certificate of a
	// trusted authority; nil: it is refused.
	Enroll func(context.Context, devices.ID) (*devices.Device, error)
	Log    *slog.Logger
}

// Store is all credentials: in SQLite, and those that are not over in memory.
type Store struct {
	db *sql.DB
	o  Options

	write        sync.Mutex // one change at a time
	provisioning sync.Mutex // one device at a time

	mu    sync.RWMutex
	live  map[string][]*Credential // device key → neither revoked nor expired; never changed in place
	timed map[int64]*Credential    // of those, which begin or end by themselves
	known map[int64][32]byte       // the HMAC of the secret that was found right
	used  map[int64]time.Time      // not in SQLite yet
	fresh map[int64]*Credential    // with hashes of today's form, not in SQLite yet

	revoked map[string]bool // certificates, by fingerprint
	// revokedUntil is until when they are known (ms since 1970); of Open, and then
	// of Run alone.
	revokedUntil int64
	shown        map[string]*Certificate // that were signed in with, not in SQLite yet

	key      [32]byte
	hashing  chan struct{} // a place for each hash that is worked on
	guesses  guesses
	watchers []func(devices.ID)
}

// Open brings the tables up to date and loads what is valid or will be. The
// registry's tables must be up to date.
func Open(ctx context.Context, db *sql.DB, o Options) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "credentials_version"); err != nil {
		return nil, err
	}
	s := &Store{db: db, o: o, live: map[string][]*Credential{}, timed: map[int64]*Credential{}, known: map[int64][32]byte{},
		used: map[int64]time.Time{}, fresh: map[int64]*Credential{}, revoked: map[string]bool{}, shown: map[string]*Certificate{}, hashing: make(chan struct{}, runtime.GOMAXPROCS(0)), guesses: newGuesses()}
	rand.Read(s.key[:])
	return s, s.load(ctx)
}

// Watch has fn called after each change to what a device may sign in with, with
// nothing locked. It is called before anything runs.
func (s *Store) Watch(fn func(devices.ID)) { s.watchers = append(s.watchers, fn) }

// Changed tells the watchers that a device may no longer sign in, or may again.
func (s *Store) Changed(id devices.ID) {
	for _, fn := range s.watchers {
		fn(id)
	}
}

const columns = `id,device,slot,label,hash,mosquitto,created_at,not_before,not_after,revoked_at,used_at`

func (s *Store) load(ctx context.Context) error {
	all, err := s.query(ctx, `WHERE revoked_at=0 AND (not_after=0 OR not_after>?) ORDER BY id`, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("load credentials: %w", err)
	}
	for _, c := range all {
		s.show(c)
	}
	_, err = s.loadRevoked(ctx)
	return err
}

func (s *Store) query(ctx context.Context, where string, args ...any) ([]*Credential, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM credential `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*Credential
	for rows.Next() {
		c := &Credential{}
		var device string
		var created, from, until, revoked, used int64
		if err := rows.Scan(&c.ID, &device, &c.Slot, &c.Label, &c.hash, &c.mosquitto, &created, &from, &until, &revoked, &used); err != nil {
			return nil, err
		}
		c.Device = devices.ID(device)
		if d, ok := s.o.Registry.Get(c.Device); ok {
			c.Device = d.ID
		}
		c.CreatedAt, c.NotBefore, c.NotAfter, c.RevokedAt, c.UsedAt = fromMs(created), fromMs(from), fromMs(until), fromMs(revoked), fromMs(used)
		all = append(all, c)
	}
	return all, rows.Err()
}

// show puts a credential into memory, in the place of an older form of itself.
// The caller holds mu, or nobody else has s yet.
func (s *Store) show(c *Credential) {
	key := c.Device.Key()
	s.live[key] = append(slices.DeleteFunc(slices.Clone(s.live[key]), func(x *Credential) bool { return x.ID == c.ID }), c)
	if !c.NotAfter.IsZero() || time.Now().Before(c.NotBefore) {
		s.timed[c.ID] = c
	}
}

// forget takes a credential that is over out of memory. The caller holds mu.
func (s *Store) forget(c *Credential) {
	key := c.Device.Key()
	rest := slices.DeleteFunc(slices.Clone(s.live[key]), func(x *Credential) bool { return x.ID == c.ID })
	if s.live[key] = rest; len(rest) == 0 {
		delete(s.live, key)
	}
	delete(s.timed, c.ID)
	delete(s.known, c.ID)
}

func toMs(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMs(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
