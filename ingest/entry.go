package ingest

import (
	"errors"
	"time"
)

// ErrCut says that the journal's log no longer has what a reader asks for; it is
// on the journal's shelves, by device and time.
var ErrCut = errors.New("the journal's log was cut before it was read")

// Pos is a place in the journal. Positions only grow, one by one.
type Pos int64

// Entry is one record of the journal: exactly one of Reading and Event is set.
type Entry struct {
	Pos     Pos
	Reading *Reading
	Event   *Event
}

// ShelfPlace is how far a reader of the journal's shelves has come: Pos is what
// it follows the log after when it has read them all.
type ShelfPlace struct {
	Pos   Pos
	Shelf time.Time
	Run   int64
}
