package agencies

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	write sync.Mutex                         // one change at a time
	now   atomic.Pointer[map[string]*Agency] // by key; never changed in place
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
		return s.cleaned(a)
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
		return s.cleaned(a)
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

func (s *Store) cleaned(a Agency) (*Agency, error) {
	a, err := a.clean(func(code string) bool { _, known := s.areas.Area(code); return known })
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// change is one change of one agency: fn is given what it is, and returns what
// it shall be; nil is none.
func (s *Store) change(ctx context.Context, id string, fn func(old *Agency) (*Agency, error)) (*Agency, error) {
	s.write.Lock()
	defer s.write.Unlock()
	old := (*s.now.Load())[key(id)]
	next, err := fn(old)
	if err != nil || next != nil && old != nil && next.equal(*old) {
		return old, err
	}
	return next, s.put(ctx, []edit{{old, next}})
}

// edit is one agency before and after; nil is none.
type edit struct{ before, after *Agency }

// put writes edits, all or none, and shows them.
func (s *Store) put(ctx context.Context, edits []edit) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep agencies: %w", err)
	}
	defer tx.Rollback()
	for _, e := range edits {
		if e.after == nil {
			err = s.remove(ctx, tx, e.before)
		} else {
			err = save(ctx, tx, e.after)
		}
		if err != nil {
			return err
		}
		if err := s.audit.Append(ctx, tx, entry(e)); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep agencies: %w", err)
	}
	all := maps.Clone(*s.now.Load())
	for _, e := range edits {
		if e.after == nil {
			delete(all, key(e.before.ID))
		} else {
			all[key(e.after.ID)] = e.after
		}
	}
	s.now.Store(&all)
	return nil
}

func entry(e edit) audit.Entry {
	body := func(a *Agency) json.RawMessage {
		if a == nil {
			return nil
		}
		b, _ := json.Marshal(a) // texts and lists: nothing that JSON cannot say
		return b
	}
	out := audit.Entry{Action: "agency.update", Kind: "agency", Before: body(e.before), After: body(e.after)}
	switch {
	case e.before == nil:
		out.Action, out.ID = "agency.create", e.after.ID
	case e.after == nil:
		out.Action, out.ID = "agency.delete", e.before.ID
	default:
		out.ID = e.after.ID
	}
	return out
}

func (s *Store) remove(ctx context.Context, tx *sql.Tx, a *Agency) error {
	for _, u := range s.uses {
		n, err := u.Count(ctx, tx, a.ID)
		if err != nil {
			return fmt.Errorf("delete agency %s: %w", a.ID, err)
		}
		if n > 0 {
			return fmt.Errorf("agency %s is named by %d %s; retire it instead: %w", a.ID, n, u.What, devices.ErrConflict)
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM agency WHERE key = ?`, key(a.ID)); err != nil {
		return fmt.Errorf("delete agency %s: %w", a.ID, err)
	}
	return nil
}

func save(ctx context.Context, tx *sql.Tx, a *Agency) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("keep agency %s: %w", a.ID, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO agency(key,id,retired,body) VALUES(?,?,?,?) ON CONFLICT(key) DO UPDATE SET retired=excluded.retired, body=excluded.body`,
		key(a.ID), a.ID, a.Retired, string(body))
	if err != nil {
		return fmt.Errorf("keep agency %s: %w", a.ID, err)
	}
	return nil
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
