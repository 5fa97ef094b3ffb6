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
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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
	seen map[string]look // files that do not rest yet
	mu   sync.Mutex
	lost map[string]bool // files that could not be read, told once
}

// look is how a file was when it was last looked at.
type look struct {
	size  int64
	mod   time.Time
	since time.Time
}

const (
	// atOnce is how many files are on their way together: they share commits.
	atOnce = 64
	// readAtOnce is how many names of a folder are held.
	readAtOnce = 8192
)

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

// Scan takes what is whole at now, folder by folder, in each the oldest first.
// However many files were dropped in, it knows of some thousands at a time.
func (f *Folder) Scan(ctx context.Context, now time.Time) error {
	young := map[string]look{}
	err := f.scan(ctx, f.o.Dir, now, young)
	if err == nil {
		f.seen = young // those that are gone are forgotten
	}
	return err
}

func (f *Folder) scan(ctx context.Context, dir string, now time.Time, young map[string]look) error {
	d, err := os.Open(dir)
	if err != nil {
		if dir == f.o.Dir {
			return err
		}
		return nil // a folder that cannot be read, or is gone, must not hide the others
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(readAtOnce)
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		if takeErr := f.scanSome(ctx, dir, entries, now, young); takeErr != nil {
			return takeErr
		}
		if err != nil {
			return nil // the end; or it cannot be read on now
		}
	}
}

// scanSome takes some of a folder's files, and looks into its folders.
func (f *Folder) scanSome(ctx context.Context, dir string, entries []fs.DirEntry, now time.Time, young map[string]look) error {
	var ready []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."), dir == f.o.Dir && (e.Name() == "done" || e.Name() == "bad"):
		case e.IsDir():
			if err := f.scan(ctx, path, now, young); err != nil {
				return err
			}
		case !e.Type().IsRegular(), strings.HasSuffix(e.Name(), ".tmp"), strings.HasSuffix(e.Name(), ".part"):
		default:
			info, err := e.Info()
			if err != nil {
				continue // gone meanwhile
			}
			if l, rests := f.rests(path, info, now); rests {
				ready = append(ready, path)
			} else {
				young[path] = l
			}
		}
	}
	// By the time in the name.
	slices.SortFunc(ready, func(a, b string) int { return strings.Compare(order(a)+a, order(b)+b) })
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, path := range ready {
		g.Go(func() error { return f.take(ctx, path) })
	}
	return g.Wait()
}

// rests says whether a file is whole: it was the same for a while, or was last
// written so long ago that nobody writes it.
func (f *Folder) rests(path string, info fs.FileInfo, now time.Time) (look, bool) {
	l := look{info.Size(), info.ModTime(), now}
	if old, ok := f.seen[path]; ok && old.size == l.size && old.mod.Equal(l.mod) {
		l.since = old.since
	}
	return l, now.Sub(l.since) >= f.o.Rest || now.Sub(l.mod) >= 10*f.o.Rest
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
		f.mu.Lock()
		told := f.lost[path]
		f.lost[path] = true
		f.mu.Unlock()
		if !told {
			f.o.Log.Error("read file; it is tried again", "component", "ingest.stationfiles", "file", rel, "error", err)
		}
		return nil
	}
	f.mu.Lock()
	delete(f.lost, path)
	f.mu.Unlock()
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
	return nil
}
