package stationfiles

import (
	"io/fs"
	"time"
)

// look is how a file was when it was last looked at.
type look struct {
	size  int64
	mod   time.Time
	since time.Time // when it was first seen like this
	// cut says that it looks cut off: it is empty, or its last line has no end.
	cut bool
}

// same says whether the file is as it was.
func (l look) same(info fs.FileInfo) bool {
	return l.size == info.Size() && l.mod.Equal(info.ModTime())
}

// again is a file's next look after l, which is zero when it was not seen before.
func (l look) again(info fs.FileInfo, now time.Time) look {
	if !l.since.IsZero() && l.same(info) {
		return l
	}
	return look{size: info.Size(), mod: info.ModTime(), since: now}
}

// What is a multiple of Options.Rest: how long a file that looks cut off must be
// unchanged, how often a file in done or bad is looked at again, for how long,
// and when what went wrong is tried again.
const (
	cutRests   = 6   // 2 min
	againRests = 3   // 1 min
	asideRests = 180 // 1 h
	stuckRests = 3   // 1 min
)

// rests says whether a file is whole: it was the same for a while, or was last
// written so long ago that nobody writes it.
func (f *Folder) rests(l look, now time.Time) bool {
	rest := f.o.Rest
	if l.cut {
		rest *= cutRests
	}
	return now.Sub(l.since) >= rest || now.Sub(l.mod) >= 10*rest
}
