package devices

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Life is where a device stands between being entered and being scrapped.
type Life string

// The lives of a device. What an unknown or pending one sends waits among the
// dead letters until it is active; of suspended and retired ones too, and there
// it stays unless it is asked for.
const (
	// Discovered: nobody entered it, it only speaks. It is not in the registry.
	Discovered Life = "discovered"
	// Pending: entered, not yet approved.
	Pending Life = "pending"
	// Active: in service.
	Active Life = "active"
	// Suspended: out of service for a while, by somebody's decision.
	Suspended Life = "suspended"
	// Retired: out of service for good. Its history stays.
	Retired Life = "retired"
)

// lifeSteps are the lives that may follow each.
var lifeSteps = map[Life][]Life{
	Pending:   {Active, Retired},
	Active:    {Suspended, Retired},
	Suspended: {Active, Retired},
	Retired:   {Active}, // a mistake undone
}

// Lives are all that a registered device can have.
func Lives() []Life { return []Life{Pending, Active, Suspended, Retired} }

// Speaks says whether what such a device sends is taken.
func (l Life) Speaks() bool { return l == Active || l == "" }

// MaySignIn says why a device may not sign in, whatever it shows; nil: it may. A
// pending one may: what it sends waits.
func (r *Registry) MaySignIn(id ID) error {
	d, ok := r.Get(id)
	if !ok {
		return fmt.Errorf("device %.80s: %w", id, ErrNotFound)
	}
	if d.Life == Suspended || d.Life == Retired {
		return fmt.Errorf("device %s is %s", d.ID, d.Life)
	}
	return nil
}

// Watch has fn called after each change of a device's life: what it may do is
// another then. Call it before the registry is used; fn must not change devices.
func (r *Registry) Watch(fn func(ID)) { r.watchers = append(r.watchers, fn) }

// WatchAll has fn called after each change of a device, with what it was, nil for
// a new one, and what it is. Call it before the registry is used; fn must be
// quick, and must not change devices.
func (r *Registry) WatchAll(fn func(old, now *Device)) { r.observers = append(r.observers, fn) }

// minReason is how many letters say why; "x" does not.
const minReason = 3

// SetLife takes a device to another life, for a reason, which the audit log
// keeps. A step that is not allowed is ErrConflict; to be what it is already
// changes nothing.
func (r *Registry) SetLife(ctx context.Context, id ID, to Life, reason string) (*Device, error) {
	reason, err := checkReason(reason)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(Lives(), to) {
		return nil, &FieldError{"life", fmt.Sprintf("%.20q is unknown; known are pending, active, suspended, retired", to)}
	}
	return r.edit(ctx, id, 0, "device.life", reason, func(d *Device) error {
		if d.Life == to {
			return nil
		}
		if !slices.Contains(lifeSteps[d.Life], to) {
			return fmt.Errorf("device %s is %s and cannot become %s from there: %w", d.ID, d.Life, to, ErrConflict)
		}
		d.Life, d.LifeReason, d.LifeSince = to, reason, time.Now().UTC().Truncate(time.Millisecond)
		return nil
	})
}

// Approve makes a device active that speaks without being registered, or that is
// pending; change fills in what it is. ErrConflict says that it waits for no
// approval.
func (r *Registry) Approve(ctx context.Context, id ID, reason string, change func(*Device) error) (*Device, error) {
	reason, err := checkReason(reason)
	if err != nil {
		return nil, err
	}
	r.write.Lock()
	defer r.write.Unlock()
	old, known := r.Get(id)
	d := Device{ID: id}
	if known {
		d = *old
		if d.Life != Pending {
			return nil, fmt.Errorf("device %s is %s and waits for no approval: %w", d.ID, d.Life, ErrConflict)
		}
	}
	if err := change(&d); err != nil {
		return nil, err
	}
	d.Life, d.LifeReason, d.LifeSince = Active, reason, time.Now().UTC().Truncate(time.Millisecond)
	return r.put(ctx, old, d, "device.approve", reason)
}

func checkReason(reason string) (string, error) {
	reason, err := line("reason", reason, 500)
	if err == nil && utf8.RuneCountInString(reason) < minReason {
		err = &FieldError{"reason", "say in a few words why; the record keeps it"}
	}
	return reason, err
}

// line is a text of one line in the form in which it is kept.
func line(field, s string, most int) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", &FieldError{field, "it is one line of UTF-8 text"}
	}
	return bounded(field, s, most)
}
