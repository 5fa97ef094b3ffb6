package devices

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry knows all devices and their types. It keeps them in memory, where
// every reading looks its device up, and in SQLite.
type Registry struct {
	db      *sql.DB
	audit   *audit.Log
	catalog *Catalog
	types   atomic.Pointer[typeSet] // swapped whole

	areas    AreaSource
	agencies AgencySource

	watchers  []func(ID)
	observers []func(old, now *Device)

	write sync.Mutex // one change at a time
	byID  sync.Map   // ID.Key() → *entry, never changed in place
	stays sync.Map   // ID.Key() → []stay, oldest first, of devices that changed their area

	mu    sync.Mutex
	fresh []*entry // shown since index was made
	index *index
}

// entry is a device and what is worth working out once, not at every look.
type entry struct {
	Device
	key    string
	folded string // key, name and serial number, as searched
	name   string // as sorted
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
	trail, err := audit.Open(ctx, db)
	if err != nil {
		return nil, err
	}
	c, err := ShippedCatalog()
	if err != nil {
		return nil, err
	}
	r := &Registry{db: db, audit: trail, catalog: c, areas: shippedPlaces{c}, agencies: shippedPlaces{c}}
	if err := r.seedTypes(ctx, c.Types); err != nil {
		return nil, err
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	return r, r.loadAreas(ctx)
}

// Get finds a device by id, without regard to case. The device is shared and
// must not be changed.
func (r *Registry) Get(id ID) (*Device, bool) {
	e, ok := r.byID.Load(id.Key())
	if !ok {
		return nil, false
	}
	return &e.(*entry).Device, true
}

// show makes d what everybody sees and returns the shared copy.
func (r *Registry) show(d Device) *Device {
	key, name := d.ID.Key(), Fold(d.Name)
	folded := key + "\n" + name
	if d.Serial != "" {
		folded += "\n" + Fold(d.Serial)
	}
	e := &entry{Device: d, key: folded[:len(key)], folded: folded, name: folded[len(key)+1:][:len(name)]}
	r.byID.Store(e.key, e)
	r.mu.Lock()
	r.fresh = append(r.fresh, e)
	r.mu.Unlock()
	return &e.Device
}

// Interval is how often a device is expected to speak; 0 for one that speaks
// only when something happens.
func (r *Registry) Interval(d *Device) time.Duration {
	if t, ok := r.Type(d.Type); ok {
		return d.ExpectedInterval(t)
	}
	return d.Interval
}

// compareKeys orders entries by id.
func compareKeys(a, b *entry) int { return strings.Compare(a.key, b.key) }
