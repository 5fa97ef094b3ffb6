package retention

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are what a Store asks of others.
type Options struct {
	// Known says whether there is a device type.
	Known func(devices.TypeID) bool
	// AreasOf are the codes of the areas that a device is, or once was, registered
	// in: what it said there stays of there. Within says whether an area
	// lies in the subtree of another.
	AreasOf func(devices.ID) []string
	Within  func(area, root string) bool
	// Report says whether there is a report with that code, and how it is
	// written; nil: holds of reports are not taken.
	Report func(ctx context.Context, code string) (string, error)
	// Configured are times of classes that the configuration says; they count
	// until somebody changes the class.
	Configured map[string]Period
}

// Store keeps the classes, holds and runs in the state database.
type Store struct {
	Options
	db    *sql.DB
	audit *audit.Log

	loading sync.Mutex // one reads what changed at a time
	mu      sync.RWMutex
	classes []Class
	holds   []Hold // that stand
}

// Open brings the tables up to date.
func Open(ctx context.Context, db *sql.DB, log *audit.Log, o Options) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "retention_version"); err != nil {
		return nil, err
	}
	if o.Known == nil {
		o.Known = func(devices.TypeID) bool { return true }
	}
	if o.AreasOf == nil {
		o.AreasOf = func(devices.ID) []string { return nil }
	}
	if o.Within == nil {
		o.Within = func(area, root string) bool { return area == root }
	}
	s := &Store{Options: o, db: db, audit: log}
	if err := s.loadClasses(ctx); err != nil {
		return nil, err
	}
	return s, s.loadHolds(ctx)
}

// loadClasses reads what was changed over what ships and is configured.
func (s *Store) loadClasses(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	cs, err := Shipped()
	if err != nil {
		return err
	}
	by := map[string]*Class{}
	for i := range cs {
		cs[i].Version = 1
		if p, ok := s.Configured[cs[i].ID]; ok {
			if err := cs[i].check(p, nil, s.Known); err != nil {
				return fmt.Errorf("the configured time of the retention class %s: %w", cs[i].ID, err)
			}
			cs[i].Keep = p
		}
		by[cs[i].ID] = &cs[i]
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, keep, by_type, version FROM retention_class`)
	if err != nil {
		return fmt.Errorf("load retention classes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, keep, byType string
		var version int64
		if err := rows.Scan(&id, &keep, &byType, &version); err != nil {
			return fmt.Errorf("load retention classes: %w", err)
		}
		c := by[id]
		if c == nil {
			continue // of another version of the program
		}
		if c.Keep, err = ParsePeriod(keep); err == nil {
			err = json.Unmarshal([]byte(byType), &c.ByType)
		}
		if err != nil {
			return fmt.Errorf("load retention class %s: %w", id, err)
		}
		c.Version = version
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load retention classes: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.classes = cs
	return nil
}

// Classes lists all of them.
func (s *Store) Classes() []Class {
	s.mu.RLock()
	defer s.mu.RUnlock()
	cs := make([]Class, len(s.classes))
	for i, c := range s.classes {
		c.ByType = maps.Clone(c.ByType)
		cs[i] = c
	}
	return cs
}

// Class finds one by id, or is devices.ErrNotFound.
func (s *Store) Class(id string) (Class, error) {
	for _, c := range s.Classes() {
		if c.ID == id {
			return c, nil
		}
	}
	return Class{}, fmt.Errorf("retention class %.40q: %w", id, devices.ErrNotFound)
}

// Overruled are the classes whose configured time no longer counts, since
// somebody changed them.
func (s *Store) Overruled() (ids []string) {
	for _, c := range s.Classes() {
		if p, ok := s.Configured[c.ID]; ok && c.Version > 1 && p != c.Keep {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Change sets the times of a class. version is the one that its editor saw; 0 is
// any; devices.ErrStale says that it was changed since. A time below the least
// is a *devices.FieldError.
func (s *Store) Change(ctx context.Context, id string, keep Period, byType map[devices.TypeID]Period, version int64, reason string) (Class, error) {
	reason, err := devices.AuditedReason(reason, "say why")
	if err != nil {
		return Class{}, err
	}
	old, err := s.Class(id)
	if err != nil {
		return old, err
	}
	if err := old.check(keep, byType, s.Known); err != nil {
		return old, err
	}
	if byType == nil {
		byType = map[devices.TypeID]Period{}
	}
	next := old
	next.Keep, next.ByType = keep, byType
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT coalesce((SELECT version FROM retention_class WHERE id = ?), 1)`, id).Scan(&old.Version); err != nil {
			return err
		}
		if version != 0 && version != old.Version {
			return fmt.Errorf("the class %s is at version %d, not %d: somebody changed it meanwhile; read it again: %w", id, old.Version, version, devices.ErrStale)
		}
		next.Version = old.Version + 1
		return s.putClass(ctx, tx, old, next, reason)
	})
	if err != nil {
		return old, fmt.Errorf("change retention class: %w", err)
	}
	return next, s.loadClasses(context.WithoutCancel(ctx))
}

// times are what of a class is recorded when it changes.
func times(c Class) json.RawMessage {
	b, _ := json.Marshal(map[string]any{"keep": c.Keep, "by_type": c.ByType}) // always can be
	return b
}

func (s *Store) putClass(ctx context.Context, tx *sql.Tx, old, next Class, why string) error {
	byType, err := json.Marshal(next.ByType)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO retention_class VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET keep=excluded.keep, by_type=excluded.by_type, version=excluded.version`,
		next.ID, next.Keep.String(), string(byType), next.Version)
	if err != nil {
		return err
	}
	return s.audit.Append(ctx, tx, audit.Entry{Action: "retention.change", Kind: "retention_class", ID: next.ID, Before: times(old), After: times(next), Why: why})
}

// Seed is for the first start with classes: where there were data before, they
// go on being kept as long as then, unless the configuration says how long. It
// returns the classes that it changed; at later starts it does nothing.
func (s *Store) Seed(ctx context.Context, hadData bool, earlier map[string]Period) (changed []Class, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO retention_seeded VALUES(1)`)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || !hadData {
			return err
		}
		for id, p := range earlier {
			old, err := s.Class(id)
			if err != nil {
				return err
			}
			if _, said := s.Configured[id]; said || old.Version > 1 || !old.Keep.shorter(p) {
				continue
			}
			next := old
			next.Keep, next.Version = p, old.Version+1
			if err := s.putClass(ctx, tx, old, next, "kept so long before there were retention classes"); err != nil {
				return err
			}
			changed = append(changed, next)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("begin with retention classes: %w", err)
	}
	return changed, s.loadClasses(context.WithoutCancel(ctx))
}

func (s *Store) change(ctx context.Context, fn func(*sql.Tx) error) error {
	return statedb.Change(ctx, s.db, fn)
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
