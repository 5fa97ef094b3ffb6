package devices

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"haidang/devices/audit"
)

// typeSet is all device types at one moment. It is never changed, but swapped.
type typeSet struct {
	byID  map[TypeID]*Type
	order []Type // the catalogue's first, then by id
}

// Type finds a device type. It is shared and must not be changed.
func (r *Registry) Type(id TypeID) (*Type, bool) {
	t, ok := r.types.Load().byID[id]
	return t, ok
}

// Types returns all device types, those that ship first, in the catalogue's
// order. They are shared and must not be changed.
func (r *Registry) Types() []Type { return r.types.Load().order }

// PutTypes adds or changes device types, all or none; one that is as it was
// stays so. version, of a single type, is the one that its editor saw; 0 is any.
// ErrStale says that it has changed since, a *FieldError of which path what is
// wrong: types[1].metrics[0].unit.
func (r *Registry) PutTypes(ctx context.Context, ts []Type, version int64) error {
	r.write.Lock()
	defer r.write.Unlock()
	var puts []Type
	given := map[TypeID]bool{}
	for i := range ts {
		t, err := ts[i].check()
		if fe, ok := err.(*FieldError); ok {
			return &FieldError{fmt.Sprintf("types[%d].%s", i, fe.Field), fe.Reason}
		}
		if given[t.ID] {
			return &FieldError{fmt.Sprintf("types[%d].id", i), fmt.Sprintf("%s is there twice", t.ID)}
		}
		given[t.ID] = true
		t.Version, t.Shipped, t.Edited = 1, false, true
		if old, ok := r.Type(t.ID); ok {
			t.Version, t.Shipped = old.Version+1, old.Shipped
			if version != 0 && version != old.Version {
				return fmt.Errorf("device type %s is at version %d, not %d: somebody changed it meanwhile; read it again: %w", t.ID, old.Version, version, ErrStale)
			}
			if string(recordType(old)) == string(recordType(&t)) {
				continue // it stays the program's, if it is, and follows it
			}
		}
		puts = append(puts, t)
	}
	if len(puts) == 0 {
		return nil
	}
	return r.changeTypes(ctx, puts, nil)
}

// DeleteType takes a device type out. ErrConflict says that devices have it, or
// that the program itself needs it.
func (r *Registry) DeleteType(ctx context.Context, id TypeID) error {
	r.write.Lock()
	defer r.write.Unlock()
	t, ok := r.Type(id)
	if !ok {
		return fmt.Errorf("device type %.40s: %w", id, ErrNotFound)
	}
	if id == TypeGeneric {
		return fmt.Errorf("type %s is that of devices nobody entered; it stays: %w", id, ErrConflict)
	}
	if n := r.Count(Filter{Type: id, Lives: Lives()}); n > 0 {
		return fmt.Errorf("%d devices are of type %s, retired ones too; give them another first: %w", n, id, ErrConflict)
	}
	return r.changeTypes(ctx, nil, t)
}

// changeTypes saves, records and shows. r.write must be held.
func (r *Registry) changeTypes(ctx context.Context, puts []Type, gone *Type) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("change device types: %w", err)
	}
	defer tx.Rollback()
	for i := range puts {
		t := &puts[i]
		e := audit.Entry{Action: "type.create", Kind: "device_type", ID: string(t.ID), After: recordType(t)}
		if old, ok := r.Type(t.ID); ok {
			e.Action, e.Before = "type.update", recordType(old)
		}
		if err := saveType(ctx, tx, t, false); err != nil {
			return err
		}
		if err := r.audit.Append(ctx, tx, e); err != nil {
			return err
		}
	}
	if gone != nil {
		if err := saveType(ctx, tx, gone, true); err != nil {
			return err
		}
		if err := r.audit.Append(ctx, tx, audit.Entry{Action: "type.delete", Kind: "device_type", ID: string(gone.ID), Before: recordType(gone)}); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("change device types: %w", err)
	}
	r.types.Store(r.types.Load().with(puts, gone))
	return nil
}

// with is the set after a change.
func (s *typeSet) with(puts []Type, gone *Type) *typeSet {
	order := slices.DeleteFunc(slices.Clone(s.order), func(t Type) bool { return gone != nil && t.ID == gone.ID })
	for _, t := range puts {
		if i := slices.IndexFunc(order, func(o Type) bool { return o.ID == t.ID }); i >= 0 {
			order[i] = t
		} else {
			order = append(order, t)
		}
	}
	return newTypeSet(order)
}

func newTypeSet(order []Type) *typeSet {
	s := &typeSet{byID: make(map[TypeID]*Type, len(order)), order: order}
	for i := range order {
		order[i].Index()
		s.byID[order[i].ID] = &order[i]
	}
	return s
}

// seedTypes brings what ships into the database, but for what somebody edited or
// took out, and loads all types.
func (r *Registry) seedTypes(ctx context.Context, shipped []Type) error {
	kept, gone, err := r.loadTypes(ctx)
	if err != nil {
		return err
	}
	order := make([]Type, 0, len(shipped)+len(kept))
	for _, t := range shipped {
		t, err := t.check()
		if err != nil {
			return fmt.Errorf("shipped device type %s: %w", t.ID, err)
		}
		t.Shipped, t.Version = true, 1
		old, known := kept[t.ID]
		delete(kept, t.ID)
		switch {
		case gone[t.ID]:
			continue
		case known && (old.Edited || string(recordType(&old)) == string(recordType(&t))):
			t = old
		default:
			t.Version = old.Version + 1
			if err := saveType(ctx, r.db, &t, false); err != nil {
				return err
			}
		}
		order = append(order, t)
	}
	var own []Type
	for _, t := range kept {
		own = append(own, t)
	}
	slices.SortFunc(own, func(a, b Type) int { return strings.Compare(string(a.ID), string(b.ID)) })
	r.types.Store(newTypeSet(append(order, own...)))
	return nil
}

func (r *Registry) loadTypes(ctx context.Context) (kept map[TypeID]Type, gone map[TypeID]bool, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT id,body,shipped,edited,deleted,version FROM device_type`)
	if err != nil {
		return nil, nil, fmt.Errorf("load device types: %w", err)
	}
	defer rows.Close()
	kept, gone = map[TypeID]Type{}, map[TypeID]bool{}
	for rows.Next() {
		var t Type
		var id TypeID
		var body string
		var deleted bool
		if err := rows.Scan(&id, &body, &t.Shipped, &t.Edited, &deleted, &t.Version); err != nil {
			return nil, nil, fmt.Errorf("load device types: %w", err)
		}
		if deleted {
			gone[id] = true
			continue
		}
		if err := yaml.Unmarshal([]byte(body), &t); err != nil {
			return nil, nil, fmt.Errorf("load device type %s: %w", id, err)
		}
		kept[id] = t
	}
	return kept, gone, rows.Err()
}

type execer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

func saveType(ctx context.Context, x execer, t *Type, deleted bool) error {
	body, err := yaml.Marshal(t)
	if err != nil {
		return fmt.Errorf("save device type %s: %w", t.ID, err)
	}
	if deleted && !t.Shipped { // nothing would bring it back
		_, err = x.ExecContext(ctx, `DELETE FROM device_type WHERE id = ?`, string(t.ID))
	} else {
		_, err = x.ExecContext(ctx, `INSERT INTO device_type(id,body,shipped,edited,deleted,version) VALUES(?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET
			body=excluded.body,shipped=excluded.shipped,edited=excluded.edited,deleted=excluded.deleted,version=excluded.version`,
			string(t.ID), string(body), t.Shipped, t.Edited, deleted, t.Version)
	}
	if err != nil {
		return fmt.Errorf("save device type %s: %w", t.ID, err)
	}
	return nil
}
