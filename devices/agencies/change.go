package agencies

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"

	"haidang/devices"
	"haidang/devices/audit"
)

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
