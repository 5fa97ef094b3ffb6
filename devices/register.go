package devices

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxNameBytes = 200
	maxInterval  = 366 * 24 * time.Hour
)

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

// Update changes what is known of a device. Its id as first written, its
// credential and when it was created stay.
func (r *Registry) Update(ctx context.Context, d Device) (*Device, error) {
	r.write.Lock()
	defer r.write.Unlock()
	old, ok := r.Get(d.ID)
	if !ok {
		return nil, fmt.Errorf("device %.80s: %w", d.ID, ErrNotFound)
	}
	return r.put(ctx, d.after(old))
}

// Upsert registers or overwrites many devices, all or none, and keeps what
// Update keeps.
func (r *Registry) Upsert(ctx context.Context, ds []Device) error {
	r.write.Lock()
	defer r.write.Unlock()
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("register devices: %w", err)
	}
	defer tx.Rollback()
	fresh := make([]Device, 0, len(ds))
	given := make(map[string]ID, len(ds))
	for _, d := range ds {
		if twin, ok := given[d.ID.Key()]; ok {
			return fmt.Errorf("register devices: %s and %s are the same id: %w", twin, d.ID, ErrConflict)
		}
		given[d.ID.Key()] = d.ID
		if old, ok := r.Get(d.ID); ok {
			d = d.after(old)
		}
		if d, err = r.check(d); err != nil {
			return fmt.Errorf("device %.80s: %w", d.ID, err)
		}
		if err := save(ctx, tx, &d); err != nil {
			return err
		}
		fresh = append(fresh, d)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("register devices: %w", err)
	}
	for _, d := range fresh {
		r.show(d)
	}
	return nil
}

// after is d as the successor of old.
func (d Device) after(old *Device) Device {
	d.ID, d.SecretHash, d.CreatedAt = old.ID, old.SecretHash, old.CreatedAt
	return d
}

// put checks, saves and shows one device.
func (r *Registry) put(ctx context.Context, d Device) (*Device, error) {
	d, err := r.check(d)
	if err != nil {
		return nil, err
	}
	if err := save(ctx, r.db, &d); err != nil {
		return nil, err
	}
	return r.show(d), nil
}

// check returns d in the form in which it is kept, sharing nothing with the
// caller, or says which field is wrong.
func (r *Registry) check(d Device) (Device, error) {
	if _, err := ParseID(string(d.ID)); err != nil {
		return d, err
	}
	if _, ok := r.types[d.Type]; !ok {
		return d, &FieldError{"type", fmt.Sprintf("%.40q is no device type; GET /api/v1/device-types lists them", d.Type)}
	}
	d.Name = norm.NFC.String(strings.TrimSpace(d.Name))
	if !utf8.ValidString(d.Name) || strings.ContainsFunc(d.Name, unicode.IsControl) {
		return d, &FieldError{"name", "a name is one line of UTF-8 text"}
	}
	if len(d.Name) > maxNameBytes {
		return d, &FieldError{"name", fmt.Sprintf("a name has at most %d bytes", maxNameBytes)}
	}
	if _, ok := r.Area(d.Area); d.Area != "" && !ok {
		return d, &FieldError{"area", fmt.Sprintf("%.40q is no area; GET /api/v1/areas lists them", d.Area)}
	}
	if d.Position != nil {
		p := *d.Position
		// NaN is within nothing, so ask that it lies inside.
		if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
			return d, &FieldError{"position", "latitude goes from -90 to 90, longitude from -180 to 180"}
		}
		d.Position = &p
	}
	d.Interval = d.Interval.Truncate(time.Millisecond)
	if d.Interval < 0 || d.Interval > maxInterval {
		return d, &FieldError{"expected_interval_s", "an interval is between 0 (as its type) and one year"}
	}
	if d.CreatedAt.IsZero() {
		d.CreatedAt = time.Now()
	}
	d.CreatedAt = d.CreatedAt.UTC().Truncate(time.Millisecond)
	return d, nil
}
