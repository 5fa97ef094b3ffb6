package ingest

import "fmt"

// What can be wrong with a source of files.
const (
	ProblemNotRead  = "not_read"
	ProblemNotMoved = "not_moved" // taken, but it stays where it is
)

// SourceProblem is something about a source that needs a hand, though the rest
// of what it brings is taken.
type SourceProblem struct {
	Code  string `json:"code"`
	Files int    `json:"files"` // how many it concerns
	File  string `json:"file"`  // one of them, within the source's folder
	Cause string `json:"cause"` // in the system's words, without paths
}

// String says it in words, without names: those are for who may sign in.
func (p SourceProblem) String() string {
	if p.Code == ProblemNotMoved {
		return fmt.Sprintf("files that were taken but cannot be moved aside: %d; %s", p.Files, p.Cause)
	}
	return fmt.Sprintf("files or folders that cannot be read: %d; %s", p.Files, p.Cause)
}
