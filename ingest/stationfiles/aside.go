package stationfiles

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// aside is a file in done or bad. Whoever still has it open writes on there: an
// upload that paused for longer than Options.Rest, at the end of a line.
type aside struct {
	file
	changed     bool // since it was taken
	next, until time.Time
}

// isAside says whether a file lies in done or bad.
func (f *Folder) isAside(file file) bool { return file.path != filepath.Join(f.o.Dir, file.rel) }

// keepAside notes a file that was taken, unless it was last written so long ago
// that nobody has it open: most backfill is of that kind.
func (f *Folder) keepAside(file file, now time.Time) {
	if life := asideRests * f.o.Rest; now.Sub(file.look.mod) < life {
		f.queue(aside{file: file, until: now.Add(life)}, now)
	}
}

// keepChanged notes a file in done or bad that is to be taken again, later.
func (f *Folder) keepChanged(file file, now time.Time) {
	f.queue(aside{file: file, changed: true}, now)
}

func (f *Folder) queue(a aside, now time.Time) {
	a.next = now.Add(againRests * f.o.Rest)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aside = append(f.aside, a)
	if len(f.aside) <= most {
		return
	}
	oldest := f.aside[0] // there is no room; this is the last look at it
	f.aside = f.aside[1:]
	if info, err := os.Lstat(oldest.path); err == nil && (oldest.changed || !oldest.look.same(info)) {
		oldest.changed, oldest.next = true, a.next
		f.aside = append(f.aside, oldest)
	}
}

// lookAgain takes files in done and bad again that were written since.
func (f *Folder) lookAgain(ctx context.Context, now time.Time) error {
	f.mu.Lock()
	n := 0
	for n < len(f.aside) && !now.Before(f.aside[n].next) {
		n++
	}
	due := f.aside[:n:n]
	f.aside = f.aside[n:]
	f.mu.Unlock()
	var ready []file
	for _, a := range due {
		info, err := os.Lstat(a.path)
		if err != nil || !info.Mode().IsRegular() {
			continue // somebody tidied up
		}
		a.changed = a.changed || !a.look.same(info)
		a.look = a.look.again(info, now)
		switch {
		case a.changed && f.rests(a.look, now):
			ready = append(ready, a.file)
		case a.changed || now.Before(a.until):
			f.queue(a, now)
		}
	}
	return f.takeAll(ctx, ready, now)
}

// numbered is the number of a file of which there is one of the name already.
var numbered = regexp.MustCompile(`\.\d{1,4}$`)

// recall takes up where the program ended: whether what was written last, in
// done and bad, was written before it was taken is not known any more, and so it
// is taken once again.
func (f *Folder) recall(now time.Time) {
	recent := func(info fs.FileInfo) bool { return now.Sub(info.ModTime()) < asideRests*f.o.Rest }
	for _, to := range []string{done, bad} {
		root, fresh := filepath.Join(f.o.Dir, to), map[string]bool{}
		filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
			case e.IsDir():
				if info, err := e.Info(); err == nil {
					fresh[path] = recent(info)
				}
			case fresh[filepath.Dir(path)] && e.Type().IsRegular(): // what was moved lately was moved into a folder that changed
				if info, err := e.Info(); err == nil && recent(info) {
					rel, err := filepath.Rel(root, numbered.ReplaceAllString(path, ""))
					if err == nil {
						f.keepChanged(file{path, rel, look{}.again(info, now)}, now)
					}
				}
			}
			return nil
		})
	}
}
