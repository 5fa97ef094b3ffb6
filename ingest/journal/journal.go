package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"haidang/ingest"
)

// Journal is an open journal folder. Append is for one goroutine at a time;
// everything else may be called by many.
type Journal struct {
	dir string

	appendMu sync.Mutex
	next     ingest.Pos // the last position given out; guarded by appendMu

	mu     sync.Mutex // guards what follows
	files  map[int64]*file
	head   ingest.Pos     // the newest visible position
	recent []ingest.Entry // the newest visible entries, for readers that keep up
	wake   chan struct{}  // closed and replaced when head moves
	closed bool
}

// recentMax is how many entries are kept in memory for readers that keep up;
// a reader further behind reads from the files.
const recentMax = 16384

// ErrClosed is returned by a journal that has been closed.
var ErrClosed = errors.New("the journal is closed")

// Open opens the journal in dir, creating the folder when it is missing.
func Open(ctx context.Context, dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create journal folder: %w", err)
	}
	j := &Journal{dir: dir, files: map[int64]*file{}, wake: make(chan struct{})}
	starts, err := listFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("list journal folder: %w", err)
	}
	for _, s := range starts {
		f, err := openFile(ctx, dir, s)
		if err != nil {
			j.Close()
			return nil, err
		}
		j.files[s.Unix()] = f
		j.next = max(j.next, f.maxPos)
	}
	j.head = j.next
	return j, nil
}

// Close closes all files and ends all readers. It waits for a running Append.
func (j *Journal) Close() error {
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	close(j.wake)
	for _, f := range j.files {
		f.close()
	}
	return nil
}

// Head is the position of the newest entry; 0 when there is none.
func (j *Journal) Head() ingest.Pos {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

func (j *Journal) fileFor(ctx context.Context, start int64) (*file, error) {
	j.mu.Lock()
	f, closed := j.files[start], j.closed
	j.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if f != nil {
		return f, nil
	}
	f, err := openFile(ctx, j.dir, time.Unix(start, 0).UTC())
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.files[start] = f
	return f, nil
}

func (j *Journal) extend(f *file, first, last ingest.Pos) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if f.minPos == 0 {
		f.minPos = first
	}
	f.maxPos = max(f.maxPos, last)
}

// show makes the stored entries visible and wakes readers.
func (j *Journal) show(entries []ingest.Entry, stored []bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	if len(j.recent)+len(entries) > 2*recentMax {
		// Readers hold slices of the old array: make a new one.
		j.recent = slices.Clone(j.recent[max(0, len(j.recent)-recentMax):])
	}
	for i := range entries {
		if stored[i] {
			j.recent = append(j.recent, entries[i])
		}
	}
	j.head = entries[len(entries)-1].Pos
	close(j.wake)
	j.wake = make(chan struct{})
}

// byStart returns the open files, oldest period first.
func (j *Journal) byStart() []*file {
	j.mu.Lock()
	defer j.mu.Unlock()
	fs := make([]*file, 0, len(j.files))
	for _, f := range j.files {
		fs = append(fs, f)
	}
	slices.SortFunc(fs, func(a, b *file) int { return a.start.Compare(b.start) })
	return fs
}

// DropBefore removes whole files whose period ended before t, and says how
// many. It is the only thing that ever removes entries.
func (j *Journal) DropBefore(t time.Time) (int, error) {
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	n := 0
	for _, f := range j.byStart() {
		if !f.start.Add(period).Before(t) {
			continue
		}
		j.mu.Lock()
		delete(j.files, f.start.Unix())
		j.recent = nil // may hold entries of the file
		j.mu.Unlock()
		if err := f.remove(); err != nil {
			return n, fmt.Errorf("drop journal file %s: %w", f.path, err)
		}
		n++
	}
	return n, nil
}
