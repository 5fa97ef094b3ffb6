// Package stationfiles takes files from a folder that an FTP or SFTP server
// fills: it waits until a file is whole, hands it over, and moves it aside once
// the journal has it. A crash in between does no harm: what is taken again is
// recognised.
package stationfiles

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"haidang/ingest"
)

// Options say which folder, and who takes its files.
type Options struct {
	// Dir is searched with all its subfolders; names that begin with "." and
	// the folders done and bad in it are left alone.
	Dir string
	// Every is how often it is looked through; 5 s unless given.
	Every time.Duration
	// Rest is how long a file must be unchanged to count as whole; 3 s unless
	// given.
	Rest time.Duration
	// Take hands a file over; it returns after the journal's commit.
	Take func(ctx context.Context, in ingest.Input) (ingest.Outcome, error)
	Log  *slog.Logger
}

// Folder is a watched folder. Build it with New; Run it once.
type Folder struct {
	o    Options
	seen map[string]look
	lost map[string]bool // files that could not be read, told once
}

// look is how a file was when it was last looked at.
type look struct {
	size  int64
	mod   time.Time
	since time.Time
}

// New checks the folder.
func New(o Options) (*Folder, error) {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	if o.Rest == 0 {
		o.Rest = 3 * time.Second
	}
	st, err := os.Stat(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("watch folder: %w", err)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("watch folder: %s is no folder", o.Dir)
	}
	return &Folder{o: o, seen: map[string]look{}, lost: map[string]bool{}}, nil
}

// Run looks through the folder until ctx ends.
func (f *Folder) Run(ctx context.Context) error {
	tick := time.NewTicker(f.o.Every)
	defer tick.Stop()
	for {
		if err := f.Scan(ctx, time.Now()); err != nil && ctx.Err() == nil {
			f.o.Log.Error("look through the folder", "component", "ingest.stationfiles", "folder", f.o.Dir, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Scan takes what is whole at now, the oldest name first: their names end in
// the time.
func (f *Folder) Scan(ctx context.Context, now time.Time) error {
	ready, err := f.find(now)
	if err != nil {
		return err
	}
	for _, path := range ready {
		if err := f.take(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// find lists the files that rested, and forgets those that are gone.
func (f *Folder) find(now time.Time) (ready []string, err error) {
	there := map[string]look{}
	err = filepath.WalkDir(f.o.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if path == f.o.Dir {
				return err
			}
			return nil // a folder that cannot be read must not hide the others
		}
		aside := path == filepath.Join(f.o.Dir, "done") || path == filepath.Join(f.o.Dir, "bad")
		if path != f.o.Dir && strings.HasPrefix(e.Name(), ".") || aside {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() || strings.HasSuffix(e.Name(), ".tmp") || strings.HasSuffix(e.Name(), ".part") {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		l := look{info.Size(), info.ModTime(), now}
		if old, ok := f.seen[path]; ok && old.size == l.size && old.mod.Equal(l.mod) {
			l.since = old.since
		}
		there[path] = l
		if now.Sub(l.since) >= f.o.Rest || now.Sub(l.mod) >= 10*f.o.Rest {
			ready = append(ready, path)
		}
		return nil
	})
	f.seen = there
	// By the time in the name, so that backfill comes in order whatever its folders.
	slices.SortFunc(ready, func(a, b string) int {
		return strings.Compare(order(a)+a, order(b)+b)
	})
	return ready, err
}

// order is the part of a name after its last "_": the time of a station file.
func order(path string) string {
	name := filepath.Base(path)
	return name[strings.LastIndexByte(name, '_')+1:]
}

// take hands one file over and moves it aside.
func (f *Folder) take(ctx context.Context, path string) error {
	rel, err := filepath.Rel(f.o.Dir, path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil // gone, or changed into something else, since it was listed
	}
	if info.Size() > ingest.MaxForeign {
		f.o.Log.Error("the file is too large; it is set aside", "component", "ingest.stationfiles", "file", rel, "bytes", info.Size(), "most", ingest.MaxForeign)
		return f.move(path, "bad", rel)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		if !f.lost[path] {
			f.lost[path] = true
			f.o.Log.Error("read file; it is tried again", "component", "ingest.stationfiles", "file", rel, "error", err)
		}
		return nil
	}
	delete(f.lost, path)
	o, err := f.o.Take(ctx, ingest.Input{Topic: filepath.ToSlash(rel), Payload: b, ReceivedAt: time.Now(), Sender: path})
	if err != nil {
		return fmt.Errorf("take %s: %w", rel, err)
	}
	to := "done"
	if o.Stored+o.Duplicates == 0 && len(o.DeadLetters) > 0 {
		to = "bad"
	}
	return f.move(path, to, rel)
}

// move keeps the file under done or bad with its own path. One that is there
// already is kept too.
func (f *Folder) move(path, to, rel string) error {
	target := filepath.Join(f.o.Dir, to, rel)
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return fmt.Errorf("set file aside: %w", err)
	}
	for n := 1; ; n++ {
		if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
			break
		}
		target = fmt.Sprintf("%s.%d", filepath.Join(f.o.Dir, to, rel), n)
	}
	if err := os.Rename(path, target); err != nil {
		return fmt.Errorf("set file aside: %w", err)
	}
	delete(f.seen, path)
	return nil
}
