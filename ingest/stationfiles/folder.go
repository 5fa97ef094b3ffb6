// Package stationfiles takes files from a folder that an FTP or SFTP server
// fills: it waits until a file is whole, hands it over, and moves it aside once
// the journal has it. What is written to it later still is seen, and it is taken
// again. That, or a crash in between, does no harm: what is taken again is
// recognised. A file that cannot be read or moved holds up no other.
package stationfiles

import (
	"context"
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
	// Rest is how long a file must be unchanged to count as whole; DefaultRest
	// unless given. One that looks cut off must be for six times that.
	Rest time.Duration
	// Take hands a file over; it returns after the journal's commit.
	Take func(ctx context.Context, in ingest.Input) (ingest.Outcome, error)
	// Refuse makes a dead letter of a file that is not taken; in has only the
	// beginning of its size bytes.
	Refuse func(ctx context.Context, in ingest.Input, size int64, r *ingest.Refusal) error
	Log    *slog.Logger
}

// DefaultRest outlasts the pauses of a slow link, and is short beside the five
// minutes in which a reading counts as live.
const DefaultRest = 20 * time.Second

// Folder is a watched folder. Build it with New; Run it once.
type Folder struct {
	o     Options
	seen  map[string]look // files that do not rest yet, at the last look through
	aside []aside         // files in done and bad, in the order of their next look
	mu    sync.Mutex      // guards what follows, and aside
	young map[string]look // files that do not rest yet, at this look through
	stuck map[string]stuck
	round int // counts looks through
}

const (
	// atOnce is how many files are on their way together: they share commits.
	// Each may hold a thread in a call to a busy disk.
	atOnce = 16
	// readAtOnce is how many names of a folder are held.
	readAtOnce = 8192
	// most is how many files are remembered in each list. It bounds memory; what
	// is beyond comes when there is room.
	most = 50_000
)

// New checks the folder.
func New(o Options) (*Folder, error) {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	if o.Rest == 0 {
		o.Rest = DefaultRest
	}
	o.Dir = filepath.Clean(o.Dir)
	st, err := os.Stat(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("watch folder: %w", err)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("watch folder: %s is no folder", o.Dir)
	}
	return &Folder{o: o, seen: map[string]look{}, young: map[string]look{}, stuck: map[string]stuck{}}, nil
}

// Run looks through the folder until ctx ends.
func (f *Folder) Run(ctx context.Context) error {
	f.recall(time.Now())
	tick := time.NewTicker(min(f.o.Every, f.o.Rest))
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

// Scan takes what is whole at now, folder by folder, in each the oldest first,
// then looks again at what it took. However many files were dropped in, it knows
// of some thousands at a time.
func (f *Folder) Scan(ctx context.Context, now time.Time) error {
	f.round++
	f.young = map[string]look{}
	if err := f.scan(ctx, f.o.Dir, now); err != nil {
		return err
	}
	f.seen = f.young // those that are gone are forgotten
	f.forgetStuck(now)
	return f.lookAgain(ctx, now)
}

func (f *Folder) scan(ctx context.Context, dir string, now time.Time) error {
	d, err := os.Open(dir)
	if err != nil {
		f.hold(dir, stuck{doing: ingest.ProblemNotRead, err: err}) // it must not hide the others
		return nil
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(readAtOnce)
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		if takeErr := f.scanSome(ctx, dir, entries, now); takeErr != nil {
			return takeErr
		}
		if err != nil {
			return nil // the end; or it cannot be read on now
		}
	}
}

// scanSome takes some of a folder's files, and looks into its folders.
func (f *Folder) scanSome(ctx context.Context, dir string, entries []fs.DirEntry, now time.Time) error {
	var ready []file
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."), dir == f.o.Dir && (e.Name() == done || e.Name() == bad):
		case e.IsDir():
			if err := f.scan(ctx, path, now); err != nil {
				return err
			}
		case !e.Type().IsRegular(), strings.HasSuffix(e.Name(), ".tmp"), strings.HasSuffix(e.Name(), ".part"):
		default:
			info, err := e.Info()
			if err != nil {
				continue // gone meanwhile
			}
			if s, is := f.held(path, info); is {
				if !now.Before(s.next) {
					ready = append(ready, file{path, f.rel(path), s.look})
				}
				continue
			}
			if l := f.seen[path].again(info, now); f.rests(l, now) {
				ready = append(ready, file{path, f.rel(path), l})
			} else {
				f.keepYoung(path, l)
			}
		}
	}
	// By the time in the name.
	slices.SortFunc(ready, func(a, b file) int { return strings.Compare(order(a.path)+a.path, order(b.path)+b.path) })
	return f.takeAll(ctx, ready, now)
}

// takeAll takes files, many at a time. It ends early only with ctx.
func (f *Folder) takeAll(ctx context.Context, files []file, now time.Time) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, file := range files {
		g.Go(func() error { return f.take(ctx, file, now) })
	}
	return g.Wait()
}

// keepYoung notes a file that does not rest yet; without room it is as new at
// the next look.
func (f *Folder) keepYoung(path string, l look) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.young) < most {
		f.young[path] = l
	}
}

// order is the part of a name after its last "_": the time of a station file.
func order(path string) string {
	name := filepath.Base(path)
	return name[strings.LastIndexByte(name, '_')+1:]
}
