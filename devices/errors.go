package devices

import "errors"

// ErrNotFound is returned when nothing has the id asked for.
var ErrNotFound = errors.New("not found")

// ErrConflict is returned when what is asked for contradicts what is stored:
// an id taken by another, a step out of order.
var ErrConflict = errors.New("conflict")

// ErrStale is returned when what somebody wants to change was changed since they
// read it.
var ErrStale = errors.New("changed since it was read")

// FieldError is a fault in one field of what somebody sent. Reason is a
// sentence for that person.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }
