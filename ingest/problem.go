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
	what := "cannot be read"
	if p.Code == ProblemNotMoved {
		what = "cannot be moved aside after being taken"
	}
	files := "1 file"
	if p.Files != 1 {
		files = fmt.Sprintf("%d files", p.Files)
	}
	return fmt.Sprintf("%s %s: %s", files, what, p.Cause)
}
