package ingest

// Pos is a place in the journal. Positions only grow; gaps may occur.
type Pos int64

// Entry is one record of the journal: exactly one of Reading and Event is set.
type Entry struct {
	Pos     Pos
	Reading *Reading
	Event   *Event
}
