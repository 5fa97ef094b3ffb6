package agencies

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Audit keeps who changed what; audit.Log is one.
type Audit interface {
	Append(ctx context.Context, tx *sql.Tx, e audit.Entry) error
}

// Areas says which areas there are.
type Areas interface {
	Area(code string) (devices.Area, bool)
}

// Use counts, in the transaction that would delete an agency, how many things
// of one kind refer to it.
type Use struct {
	// What names them in a sentence: "reports".
	What  string
	Count func(ctx context.Context, tx *sql.Tx, id string) (int, error)
}

// Store keeps agencies in SQLite, and all of them in memory.
type Store struct {
	db    *sql.DB
	audit Audit
	areas Areas
	uses  []Use
	// category and calendar say whether there is one; nil: any will do.
	category, calendar func(id string) bool
	write              sync.Mutex                         // one change at a time
	now                atomic.Pointer[map[string]*Agency] // by key; never changed in place
}

// Open brings the table up to date and loads it. A table without any agency gets
// those of the catalogue.
func Open(ctx context.Context, db *sql.DB, log Audit, areas Areas) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "agencies_version"); err != nil {
		return nil, err
	}
	s := &Store{db: db, audit: log, areas: areas}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	if len(*s.now.Load()) > 0 {
		return s, nil
	}
	return s, s.ship(ctx)
}

// InUse adds a use that keeps an agency from being deleted. Call it before the
// store is used.
func (s *Store) InUse(u Use) { s.uses = append(s.uses, u) }

// KnowCategories lets the store refuse categories that there are not: an agency
// would never get what it is for. Call it before the store is used.
func (s *Store) KnowCategories(known func(id string) bool) { s.category = known }

// KnowCalendars lets the store refuse working calendars that there are not. Call
// it before the store is used.
func (s *Store) KnowCalendars(known func(id string) bool) { s.calendar = known }

// Follows says whether an agency, also a retired one, follows a calendar.
func (s *Store) Follows(calendar string) bool {
	for _, a := range *s.now.Load() {
		if a.Calendar == calendar {
			return true
		}
	}
	return false
}

// ship fills an empty table; it is not audited, for nobody did it.
func (s *Store) ship(ctx context.Context) error {
	c, err := devices.ShippedCatalog()
	if err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep the agencies that ship: %w", err)
	}
	defer tx.Rollback()
	for _, a := range c.Agencies {
		if err := save(ctx, tx, &Agency{ID: a.ID, Name: a.Name, NameEN: a.NameEN, Areas: []string{}, Categories: []string{}}); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep the agencies that ship: %w", err)
	}
	return s.load(ctx)
}

// Create adds an agency. ErrConflict says that the id is taken.
func (s *Store) Create(ctx context.Context, a Agency) (*Agency, error) {
	return s.change(ctx, a.ID, func(old *Agency) (*Agency, error) {
		if old != nil {
			return nil, fmt.Errorf("agency %s exists already: %w", old.ID, devices.ErrConflict)
		}
		return s.cleaned(a, nil)
	})
}

// Get finds an agency by id, or devices.ErrNotFound. It is shared and must not
// be changed.
func (s *Store) Get(id string) (*Agency, error) {
	if a := (*s.now.Load())[key(id)]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("agency %.60q: %w", id, devices.ErrNotFound)
}

// List returns the agencies by id; retired ones only when asked for.
func (s *Store) List(query string, retired bool) (as []*Agency) {
	q := strings.TrimSpace(devices.Fold(query))
	for _, a := range *s.now.Load() {
		if (retired || !a.Retired) && strings.Contains(devices.Fold(a.ID+"\n"+a.Name+"\n"+a.NameEN), q) {
			as = append(as, a)
		}
	}
	slices.SortFunc(as, func(a, b *Agency) int { return strings.Compare(a.ID, b.ID) })
	return as
}

// Update changes all of an agency but its id.
func (s *Store) Update(ctx context.Context, a Agency) (*Agency, error) {
	return s.change(ctx, a.ID, func(old *Agency) (*Agency, error) {
		if old == nil {
			return nil, fmt.Errorf("agency %.60q: %w", a.ID, devices.ErrNotFound)
		}
		a.ID = old.ID
		return s.cleaned(a, old)
	})
}

// Delete removes an agency that nothing refers to; else it is
// devices.ErrConflict, and to be retired instead.
func (s *Store) Delete(ctx context.Context, id string) error {
	_, err := s.change(ctx, id, func(old *Agency) (*Agency, error) {
		if old == nil {
			return nil, fmt.Errorf("agency %.60q: %w", id, devices.ErrNotFound)
		}
		return nil, nil
	})
	return err
}

// cleaned is an agency as it is kept. What it had before, nil for a new one, it
// may keep, though there be no such category or calendar: an earlier version
// took any, and a kind of report may have been taken out since.
func (s *Store) cleaned(a Agency, before *Agency) (*Agency, error) {
	if before == nil {
		before = &Agency{}
	}
	a, err := a.clean(func(code string) bool { _, known := s.areas.Area(code); return known })
	if err != nil {
		return nil, err
	}
	for _, c := range a.Categories {
		if s.category != nil && !s.category(c) && !slices.Contains(before.Categories, c) {
			return nil, &devices.FieldError{Field: "categories", Reason: fmt.Sprintf("%.60q is no category of reports and no device type", c)}
		}
	}
	if a.Calendar != before.Calendar && a.Calendar != "" && s.calendar != nil && !s.calendar(a.Calendar) {
		return nil, &devices.FieldError{Field: "calendar", Reason: fmt.Sprintf("%.60q is no working calendar; GET /api/v1/calendars lists them", a.Calendar)}
	}
	return &a, nil
}

func (s *Store) load(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT key, body FROM agency`)
	if err != nil {
		return fmt.Errorf("load agencies: %w", err)
	}
	defer rows.Close()
	all := map[string]*Agency{}
	for rows.Next() {
		var k, body string
		if err := rows.Scan(&k, &body); err != nil {
			return fmt.Errorf("load agencies: %w", err)
		}
		a := &Agency{}
		if err := json.Unmarshal([]byte(body), a); err != nil {
			return fmt.Errorf("load agency %s: %w", k, err)
		}
		all[k] = a
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("load agencies: %w", err)
	}
	s.now.Store(&all)
	return nil
}

// Agencies are all that can be given something, as the registry shows them.
func (s *Store) Agencies() (out []devices.Agency) {
	for _, a := range s.List("", false) {
		out = append(out, a.short())
	}
	return out
}

// Agency finds an agency by its exact id, retired ones too.
func (s *Store) Agency(id string) (devices.Agency, bool) {
	a := (*s.now.Load())[key(id)]
	if a == nil || a.ID != id {
		return devices.Agency{}, false
	}
	return a.short(), true
}

func (a *Agency) short() devices.Agency {
	return devices.Agency{ID: a.ID, Name: a.Name, NameEN: a.NameEN, Retired: a.Retired}
}
