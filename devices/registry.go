package devices

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry knows all devices. It keeps them in memory, where every reading
// looks its device up, and in SQLite.
type Registry struct {
	db      *sql.DB
	types   map[TypeID]*Type
	catalog *Catalog

	write sync.Mutex // one change at a time
	byID  sync.Map   // ID.Key() → *Device, never changed in place
}

// NewRegistry brings the tables up to date and loads what is in them.
func NewRegistry(ctx context.Context, db *sql.DB) (*Registry, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "devices_version"); err != nil {
		return nil, err
	}
	c, err := shippedCatalog()
	if err != nil {
		return nil, err
	}
	r := &Registry{db: db, catalog: c, types: map[TypeID]*Type{}}
	for i := range c.Types {
		c.Types[i].Index()
		r.types[c.Types[i].ID] = &c.Types[i]
	}
	return r, r.load(ctx)
}

func (r *Registry) load(ctx context.Context) error {
	rows, err := r.db.QueryContext(ctx, `SELECT id,type,name,area,lat,lon,interval_s,secret_hash,discovered,created_at FROM device`)
	if err != nil {
		return fmt.Errorf("load devices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Device
		var lat, lon sql.NullFloat64
		var interval, created int64
		if err := rows.Scan(&d.ID, &d.Type, &d.Name, &d.Area, &lat, &lon, &interval, &d.SecretHash, &d.Discovered, &created); err != nil {
			return fmt.Errorf("load devices: %w", err)
		}
		if lat.Valid && lon.Valid {
			d.Position = &Position{lat.Float64, lon.Float64}
		}
		d.Interval, d.CreatedAt = time.Duration(interval)*time.Second, time.UnixMilli(created).UTC()
		r.byID.Store(d.ID.Key(), &d)
	}
	return rows.Err()
}

// Get finds a device by id, without regard to case. The device is shared and
// must not be changed.
func (r *Registry) Get(id ID) (*Device, bool) {
	d, ok := r.byID.Load(id.Key())
	if !ok {
		return nil, false
	}
	return d.(*Device), true
}

// Type finds a device type.
func (r *Registry) Type(id TypeID) (*Type, bool) {
	t, ok := r.types[id]
	return t, ok
}

// Types returns all device types, in the catalogue's order.
func (r *Registry) Types() []Type { return r.catalog.Types }

// Areas returns the areas of operation.
func (r *Registry) Areas() []Area { return r.catalog.Areas }

// Agencies returns the agencies that handle reports.
func (r *Registry) Agencies() []Agency { return r.catalog.Agencies }

// Area finds an area by code.
func (r *Registry) Area(code string) (Area, bool) {
	i := slices.IndexFunc(r.catalog.Areas, func(a Area) bool { return a.Code == code })
	if i < 0 {
		return Area{}, false
	}
	return r.catalog.Areas[i], true
}

// Interval is how often a device is expected to speak.
func (r *Registry) Interval(d *Device) time.Duration {
	if t, ok := r.types[d.Type]; ok {
		return d.ExpectedInterval(t)
	}
	return d.Interval
}

// Filter narrows a list of devices. Zero members do not.
type Filter struct {
	Type TypeID
	Area string
	// Query is searched in id and name, without case and accents.
	Query string
}

// List returns matching devices by id.
func (r *Registry) List(f Filter) []*Device {
	q := Fold(f.Query)
	var ds []*Device
	r.byID.Range(func(_, v any) bool {
		d := v.(*Device)
		if (f.Type == "" || d.Type == f.Type) && (f.Area == "" || d.Area == f.Area) &&
			(q == "" || strings.Contains(d.ID.Key(), q) || strings.Contains(Fold(d.Name), q)) {
			ds = append(ds, d)
		}
		return true
	})
	slices.SortFunc(ds, func(a, b *Device) int { return strings.Compare(a.ID.Key(), b.ID.Key()) })
	return ds
}

func (r *Registry) check(d *Device) error {
	if _, err := ParseID(string(d.ID)); err != nil {
		return err
	}
	if _, ok := r.types[d.Type]; !ok {
		return &FieldError{"type", fmt.Sprintf("%.40q is no device type; GET /api/v1/device-types lists them", d.Type)}
	}
	if len(d.Name) > 200 {
		return &FieldError{"name", "a name has at most 200 bytes"}
	}
	if _, ok := r.Area(d.Area); d.Area != "" && !ok {
		return &FieldError{"area", fmt.Sprintf("%.40q is no area; GET /api/v1/areas lists them", d.Area)}
	}
	if p := d.Position; p != nil && (p.Lat < -90 || p.Lat > 90 || p.Lon < -180 || p.Lon > 180) {
		return &FieldError{"position", "latitude goes from -90 to 90, longitude from -180 to 180"}
	}
	return nil
}

// Create registers a device. ErrConflict says that the id is taken.
func (r *Registry) Create(ctx context.Context, d Device) (*Device, error) {
	r.write.Lock()
	defer r.write.Unlock()
	if old, ok := r.Get(d.ID); ok {
		return nil, fmt.Errorf("device %s exists already: %w", old.ID, ErrConflict)
	}
	return r.put(ctx, d)
}

// Discover registers a device that spoke without being known. It is idempotent.
func (r *Registry) Discover(ctx context.Context, id ID) (*Device, error) {
	if d, ok := r.Get(id); ok {
		return d, nil
	}
	r.write.Lock()
	defer r.write.Unlock()
	if d, ok := r.Get(id); ok {
		return d, nil
	}
	return r.put(ctx, Device{ID: id, Type: TypeGeneric, Name: string(id), Discovered: true})
}

// Upsert registers or overwrites many devices, all or none, and keeps their
// credentials.
func (r *Registry) Upsert(ctx context.Context, ds []Device) error {
	r.write.Lock()
	defer r.write.Unlock()
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("register devices: %w", err)
	}
	defer tx.Rollback()
	for i := range ds {
		if err := r.check(&ds[i]); err != nil {
			return fmt.Errorf("device %s: %w", ds[i].ID, err)
		}
		if old, ok := r.Get(ds[i].ID); ok {
			ds[i].SecretHash, ds[i].CreatedAt = old.SecretHash, old.CreatedAt
		} else {
			ds[i].CreatedAt = time.Now().UTC()
		}
		if err := save(ctx, tx, &ds[i]); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("register devices: %w", err)
	}
	for i := range ds {
		d := ds[i]
		r.byID.Store(d.ID.Key(), &d)
	}
	return nil
}

// put checks, saves and shows one device.
func (r *Registry) put(ctx context.Context, d Device) (*Device, error) {
	if err := r.check(&d); err != nil {
		return nil, err
	}
	if d.CreatedAt.IsZero() {
		d.CreatedAt = time.Now().UTC()
	}
	if err := save(ctx, r.db, &d); err != nil {
		return nil, err
	}
	r.byID.Store(d.ID.Key(), &d)
	return &d, nil
}

type execer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

func save(ctx context.Context, x execer, d *Device) error {
	var lat, lon sql.NullFloat64
	if d.Position != nil {
		lat, lon = sql.NullFloat64{Float64: d.Position.Lat, Valid: true}, sql.NullFloat64{Float64: d.Position.Lon, Valid: true}
	}
	_, err := x.ExecContext(ctx, `INSERT INTO device(key,id,type,name,area,lat,lon,interval_s,secret_hash,discovered,created_at)
		VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(key) DO UPDATE SET type=excluded.type,name=excluded.name,area=excluded.area,
		lat=excluded.lat,lon=excluded.lon,interval_s=excluded.interval_s,secret_hash=excluded.secret_hash,discovered=excluded.discovered`,
		d.ID.Key(), string(d.ID), string(d.Type), d.Name, d.Area, lat, lon, int64(d.Interval/time.Second), d.SecretHash, d.Discovered, d.CreatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("save device %s: %w", d.ID, err)
	}
	return nil
}

// IssueSecret gives a device a new credential and returns it, this once; only
// its hash is kept. The old one ends at once.
func (r *Registry) IssueSecret(ctx context.Context, id ID) (string, error) {
	r.write.Lock()
	defer r.write.Unlock()
	old, ok := r.Get(id)
	if !ok {
		return "", fmt.Errorf("device %s: %w", id, ErrNotFound)
	}
	d, secret := *old, rand.Text()
	d.SecretHash = hashSecret(secret)
	_, err := r.put(ctx, d)
	return secret, err
}

// CheckSecret says whether secret is the device's. The secrets are random and
// of 130 bits: a plain hash is enough, and cheap for ten thousand reconnects.
func (r *Registry) CheckSecret(id ID, secret string) bool {
	d, ok := r.Get(id)
	if !ok || d.SecretHash == "" {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(d.SecretHash), []byte(hashSecret(secret))) == 1
}

func hashSecret(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
