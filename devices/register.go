package devices

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"haidang/devices/audit"
)

// Change is a device as somebody wants it to be.
type Change struct {
	Device Device
	// Version is that of the device on which it was based; 0: there was none.
	Version int64
}

// Create registers a device. ErrConflict says that the id is taken.
func (r *Registry) Create(ctx context.Context, d Device) (*Device, error) {
	r.write.Lock()
	defer r.write.Unlock()
	if old, ok := r.Get(d.ID); ok {
		return nil, fmt.Errorf("device %s exists already: %w", old.ID, ErrConflict)
	}
	return r.put(ctx, nil, d, "device.create", "")
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
	return r.put(ctx, nil, Device{ID: id, Type: TypeGeneric, Name: string(id), Discovered: true}, "device.discover", "")
}

// Update changes what is known of a device. Its id as first written and when it
// was created stay; so does its life, if d says none.
func (r *Registry) Update(ctx context.Context, d Device) (*Device, error) {
	return r.edit(ctx, d.ID, 0, "device.update", "", func(to *Device) error {
		*to = d.after(to)
		return nil
	})
}

// Edit changes a device by change, which is given a copy. version is the one
// that the editor saw: ErrStale says that it has changed since. 0 is any.
func (r *Registry) Edit(ctx context.Context, id ID, version int64, change func(*Device) error) (*Device, error) {
	return r.edit(ctx, id, version, "device.update", "", change)
}

func (r *Registry) edit(ctx context.Context, id ID, version int64, action, why string, change func(*Device) error) (*Device, error) {
	r.write.Lock()
	defer r.write.Unlock()
	old, ok := r.Get(id)
	if !ok {
		return nil, fmt.Errorf("device %.80s: %w", id, ErrNotFound)
	}
	if version != 0 && version != old.Version {
		return nil, fmt.Errorf("device %s is at version %d, not %d: somebody changed it meanwhile; read it again: %w", old.ID, old.Version, version, ErrStale)
	}
	d := *old
	if err := change(&d); err != nil {
		return nil, err
	}
	return r.put(ctx, old, d, action, why)
}

// Upsert registers or overwrites many devices, all or none, and keeps what
// Update keeps.
func (r *Registry) Upsert(ctx context.Context, ds []Device) error {
	r.write.Lock()
	defer r.write.Unlock()
	also := make(map[string]*Device, len(ds))
	cs := make([]change, 0, len(ds))
	for i, d := range ds {
		if twin, ok := also[d.ID.Key()]; ok {
			return fmt.Errorf("register devices: %s and %s are the same id: %w", twin.ID, d.ID, ErrConflict)
		}
		also[d.ID.Key()] = &ds[i]
		c := change{action: "device.create"}
		if old, ok := r.Get(d.ID); ok {
			d = d.after(old)
			c.old, c.action = old, "device.update"
		}
		var err error
		if c.next, err = r.Check(d, also); err != nil {
			return fmt.Errorf("device %.80s: %w", d.ID, err)
		}
		if c.old == nil || !c.old.same(&c.next) {
			cs = append(cs, c)
		}
	}
	if err := r.apply(ctx, cs, nil); err != nil {
		return fmt.Errorf("register devices: %w", err)
	}
	return nil
}

// Apply makes changes that Check passed, all or none. entry, if it has an
// action, is recorded with them. done is told how many are written. ErrStale
// says that one of the devices changed since.
func (r *Registry) Apply(ctx context.Context, wanted []Change, entry audit.Entry, done func(n int)) error {
	r.write.Lock()
	defer r.write.Unlock()
	cs := make([]change, len(wanted))
	for i := range wanted {
		w := &wanted[i]
		old, known := r.Get(w.Device.ID)
		if known != (w.Version != 0) || known && old.Version != w.Version {
			return fmt.Errorf("device %s was changed meanwhile; nothing was done, try again: %w", w.Device.ID, ErrStale)
		}
		cs[i] = change{next: w.Device, action: "device.create"}
		if known {
			cs[i].old, cs[i].action = old, "device.update"
			cs[i].next.ID, cs[i].next.CreatedAt = old.ID, old.CreatedAt
		}
	}
	return r.apply(ctx, cs, done, entry)
}

// after is d as the successor of old.
func (d Device) after(old *Device) Device {
	d.ID, d.CreatedAt = old.ID, old.CreatedAt
	if d.Life == "" {
		d.Life, d.LifeReason, d.LifeSince = old.Life, old.LifeReason, old.LifeSince
	}
	return d
}

// same says whether nothing that somebody wrote differs.
func (d *Device) same(e *Device) bool {
	a, b := *d, *e
	a.UpdatedAt, a.Version, b.UpdatedAt, b.Version = time.Time{}, 0, time.Time{}, 0
	return string(a.record()) == string(b.record())
}

// record is all that was written of a device.
func (d *Device) record() json.RawMessage {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // Check lets nothing through that JSON has no word for
	}
	return b
}

// change is a device as it was, nil for a new one, and as it is to be.
type change struct {
	old         *Device
	next        Device
	action, why string
}

// put checks, saves and shows one device. It stays as it is when nothing differs.
func (r *Registry) put(ctx context.Context, old *Device, d Device, action, why string) (*Device, error) {
	if old != nil {
		d.KeepNotes(old)
	}
	d, err := r.Check(d, nil)
	if err != nil {
		return nil, err
	}
	if old != nil && old.same(&d) {
		return old, nil
	}
	if err := r.apply(ctx, []change{{old, d, action, why}}, nil); err != nil {
		return nil, err
	}
	kept, _ := r.Get(d.ID)
	return kept, nil
}

// apply saves changes and records them in one transaction, and then shows them.
// r.write must be held. more is recorded first.
func (r *Registry) apply(ctx context.Context, cs []change, done func(n int), more ...audit.Entry) error {
	if len(cs) == 0 {
		return nil
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("save devices: %w", err)
	}
	defer tx.Rollback()
	st, err := tx.PrepareContext(ctx, saveDevice)
	if err != nil {
		return fmt.Errorf("save devices: %w", err)
	}
	defer st.Close()
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range cs {
		d := &cs[i].next
		d.Version = 1
		if cs[i].old != nil {
			d.UpdatedAt, d.Version = now, cs[i].old.Version+1
		}
		if _, err := st.ExecContext(ctx, d.columns()...); err != nil {
			return fmt.Errorf("save device %s: %w", d.ID, err)
		}
		if done != nil && i%500 == 0 {
			done(i)
		}
	}
	if err := keepAreas(ctx, tx, cs, now); err != nil {
		return err
	}
	err = r.audit.AppendAll(ctx, tx, func(yield func(audit.Entry) bool) {
		for _, e := range more {
			if e.Action != "" && !yield(e) {
				return
			}
		}
		for i := range cs {
			c := &cs[i]
			e := audit.Entry{Action: c.action, Kind: "device", ID: string(c.next.ID), After: c.next.told(), Why: c.why}
			if c.old != nil {
				e.Before = c.old.told()
			}
			if !yield(e) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("save devices: %w", err)
	}
	for i := range cs {
		now := r.show(cs[i].next)
		for _, fn := range r.observers {
			fn(cs[i].old, now)
		}
	}
	r.showAreas(cs, now)
	for i := range cs {
		if c := &cs[i]; c.old != nil && c.old.Life != c.next.Life {
			for _, fn := range r.watchers {
				fn(c.next.ID)
			}
		}
	}
	return nil
}
