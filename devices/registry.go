package devices

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"sync"
	"sync/atomic"
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

	areas    AreaSource
	agencies AgencySource

	write sync.Mutex // one change at a time
	byID  sync.Map   // ID.Key() → *entry, never changed in place

	changes atomic.Uint64 // counts what was put into byID
	ordered atomic.Pointer[listing]
}

// entry is a device and what is worth working out once, not at every look.
type entry struct {
	Device
	key    string
	folded string // id and name, as searched
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
	c, err := ShippedCatalog()
	if err != nil {
		return nil, err
	}
	r := &Registry{db: db, catalog: c, areas: shippedPlaces{c}, agencies: shippedPlaces{c}, types: map[TypeID]*Type{}}
	for i := range c.Types {
		r.types[c.Types[i].ID] = &c.Types[i]
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	return r, nil
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
	e := &entry{Device: d, key: d.ID.Key(), folded: Fold(string(d.ID) + "\n" + d.Name)}
	r.byID.Store(e.key, e)
	r.changes.Add(1)
	return &e.Device
}

// Type finds a device type.
func (r *Registry) Type(id TypeID) (*Type, bool) {
	t, ok := r.types[id]
	return t, ok
}

// Types returns all device types, in the catalogue's order.
func (r *Registry) Types() []Type { return r.catalog.Types }

// Interval is how often a device is expected to speak.
func (r *Registry) Interval(d *Device) time.Duration {
	if t, ok := r.types[d.Type]; ok {
		return d.ExpectedInterval(t)
	}
	return d.Interval
}
