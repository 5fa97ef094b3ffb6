package journal

import (
	"slices"

	"haidang/ingest"
)

// Behind says how many entries follow the position after: exactly, while they
// are in memory; else by position, which counts duplicates too.
func (j *Journal) Behind(after ingest.Pos) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if after >= j.head {
		return 0
	}
	if len(j.recent) > 0 && after >= j.recent[0].Pos-1 {
		i, _ := slices.BinarySearchFunc(j.recent, after+1, func(e ingest.Entry, p ingest.Pos) int { return int(e.Pos - p) })
		return int64(len(j.recent) - i)
	}
	return int64(j.head - after)
}
