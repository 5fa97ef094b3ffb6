package stationfiles

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"haidang/ingest"
)

// stuck is a file, or a folder, that something is wrong with.
type stuck struct {
	look  look
	doing string // what cannot be done: ingest.ProblemNotRead, ProblemNotMoved
	to    string // where it is to be moved, for it was taken
	err   error
	next  time.Time // when it is tried again, unless it changes
	round int       // the last look through that saw it
}

// told is for how many at a time the log has a line each; health counts all.
const told = 20

// hold notes what is wrong with a file and says it once. Without room it is not
// remembered, and tried again sooner.
func (f *Folder) hold(path string, s stuck) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.round = f.round
	old, known := f.stuck[path]
	if !known && len(f.stuck) >= most {
		return
	}
	f.stuck[path] = s
	if known && old.doing == s.doing || len(f.stuck) > told {
		return
	}
	what := "cannot be read; it is tried again, and the others are taken"
	if s.doing == ingest.ProblemNotMoved {
		what = "was taken but cannot be moved aside; it is tried again, and the others are taken"
	}
	f.o.Log.Error("a file "+what, "component", "ingest.stationfiles", "file", path, "error", s.err)
}

// fail holds what is wrong against a file; one that lies aside stays noted.
func (f *Folder) fail(file file, s stuck, now time.Time) {
	s.look, s.next = file.look, now.Add(stuckRests*f.o.Rest)
	f.hold(file.path, s)
	if f.isAside(file) {
		f.keepChanged(file, now)
	}
}

// held finds what is wrong with a file that has not changed since.
func (f *Folder) held(path string, info fs.FileInfo) (stuck, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.stuck[path]
	if ok {
		s.round = f.round
		f.stuck[path] = s
	}
	return s, ok && s.look.same(info)
}

// takenTo says where a file is to be moved that was taken as it is.
func (f *Folder) takenTo(file file) (to string, taken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stuck[file.path]
	return s.to, s.to != "" && s.look.size == file.look.size && s.look.mod.Equal(file.look.mod)
}

// release forgets what was wrong with a file.
func (f *Folder) release(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.stuck, path)
}

// forgetStuck drops what the last look through did not see: it is gone, or well.
// What lies aside is seen less often.
func (f *Folder) forgetStuck(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, s := range f.stuck {
		if s.round != f.round && now.Sub(s.next) > againRests*f.o.Rest {
			delete(f.stuck, path)
		}
	}
}

// Problems says what is wrong with the folder's files now, by kind.
func (f *Folder) Problems() (ps []ingest.SourceProblem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, s := range f.stuck {
		i := slices.IndexFunc(ps, func(p ingest.SourceProblem) bool { return p.Code == s.doing })
		if i < 0 {
			i = len(ps)
			ps = append(ps, ingest.SourceProblem{Code: s.doing})
		}
		p := &ps[i]
		p.Files++
		if rel := f.rel(path); p.File == "" || rel < p.File {
			p.File, p.Cause = rel, cause(s.err)
		}
	}
	slices.SortFunc(ps, func(a, b ingest.SourceProblem) int { return b.Files - a.Files })
	return ps
}

// cause is an error without paths.
func cause(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if errors.Is(err, os.ErrPermission) {
		return "permission denied"
	}
	return "the log says why"
}
