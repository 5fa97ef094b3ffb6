package calendars

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/goccy/go-yaml"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed shipped.yaml
var shippedYAML []byte

// Audit keeps who changed what; audit.Log is one.
type Audit interface {
	Append(ctx context.Context, tx *sql.Tx, e audit.Entry) error
}

// Store keeps calendars in SQLite, and all of them in memory.
type Store struct {
	db    *sql.DB
	audit Audit
	write sync.Mutex                           // one change at a time
	now   atomic.Pointer[map[string]*Calendar] // by id; never changed in place
}

// Open brings the table up to date. A new one gets the calendars that ship.
func Open(ctx context.Context, db *sql.DB, log Audit) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "calendars_version"); err != nil {
		return nil, err
	}
	s := &Store{db: db, audit: log}
	if err := s.load(ctx); err != nil || len(*s.now.Load()) > 0 {
		return s, err
	}
	return s, s.ship(ctx)
}

// ship fills an empty table; it is not audited, for nobody did it.
func (s *Store) ship(ctx context.Context) error {
	var all []Calendar
	if err := yaml.UnmarshalWithOptions(shippedYAML, &all, yaml.Strict()); err != nil {
		return fmt.Errorf("read the calendars that ship: %w", err)
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		for _, c := range all {
			c, err := c.clean()
			if err != nil {
				return fmt.Errorf("calendar %s that ships: %w", c.ID, err)
			}
			c.Version = 1
			if err := save(ctx, tx, &c); err != nil {
				return err
			}
		}
		return nil
	})
}

// load reads all calendars into memory.
func (s *Store) load(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT body, version FROM calendar`)
	if err != nil {
		return fmt.Errorf("load calendars: %w", err)
	}
	defer rows.Close()
	all := map[string]*Calendar{}
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return fmt.Errorf("load calendars: %w", err)
		}
		all[c.ID] = c
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load calendars: %w", err)
	}
	s.now.Store(&all)
	return nil
}

// List returns all calendars by id. They are shared and must not be changed.
func (s *Store) List() []*Calendar {
	return slices.SortedFunc(maps.Values(*s.now.Load()), func(a, b *Calendar) int { return strings.Compare(a.ID, b.ID) })
}

// Get finds a calendar by its id, or devices.ErrNotFound. It is shared and must
// not be changed.
func (s *Store) Get(id string) (*Calendar, error) {
	if c := (*s.now.Load())[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("calendar %.60q: %w", id, devices.ErrNotFound)
}

func scan(row interface{ Scan(...any) error }) (*Calendar, error) {
	var body string
	var c Calendar
	var version int64
	if err := row.Scan(&body, &version); err != nil {
		return nil, err
	}
	err := json.Unmarshal([]byte(body), &c)
	c.Version = version
	return &c, err
}

// Put adds a calendar or writes all of one anew. c.Version is the one that its
// editor saw, 0 of one that is new: devices.ErrConflict says that it is another
// by now. One that is as it was stays so.
func (s *Store) Put(ctx context.Context, c Calendar) (*Calendar, error) {
	c, err := c.clean()
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		old, err := s.Get(c.ID)
		e := audit.Entry{Action: "calendar.create", Kind: "calendar", ID: c.ID}
		var was int64
		if err == nil {
			was = old.Version
			e.Action, e.Before = "calendar.update", old.record()
		}
		if c.Version != was {
			return fmt.Errorf("calendar %s is at version %d, not %d; read it again: %w", c.ID, was, c.Version, devices.ErrConflict)
		}
		if e.Before != nil && string(e.Before) == string(c.record()) {
			return nil
		}
		c.Version++
		if err := save(ctx, tx, &c); err != nil {
			return err
		}
		e.After = c.record()
		return s.audit.Append(ctx, tx, e)
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Delete takes a calendar out, unless followed says that somebody follows it:
// devices.ErrConflict.
func (s *Store) Delete(ctx context.Context, id string, followed func(id string) bool) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		old, err := s.Get(id)
		if err != nil {
			return err
		}
		if followed(id) {
			return fmt.Errorf("agencies follow calendar %s; give them another first: %w", id, devices.ErrConflict)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM calendar WHERE id = ?`, id); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "calendar.delete", Kind: "calendar", ID: id, Before: old.record()})
	})
}

// record is a calendar as it is kept, and in the audit log.
func (c Calendar) record() json.RawMessage {
	c.Version = 0
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // texts always have a form
	}
	return b
}

func save(ctx context.Context, tx *sql.Tx, c *Calendar) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO calendar(id,body,version) VALUES(?,?,?) ON CONFLICT(id) DO UPDATE SET body=excluded.body, version=excluded.version`,
		c.ID, string(c.record()), c.Version)
	return err
}

// change runs fn in a transaction and shows what it wrote.
func (s *Store) change(ctx context.Context, fn func(*sql.Tx) error) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := statedb.Change(ctx, s.db, fn); err != nil {
		return err
	}
	return s.load(context.WithoutCancel(ctx))
}
