package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Journal is an open journal folder. Everything may be called by many
// goroutines; appends follow one another.
type Journal struct {
	dir   string
	log   *log
	fresh *fresh
	marks *marks
	chain *chain

	appendMu sync.Mutex // held while something is appended, or settled entries are forgotten
	next     ingest.Pos // the last position given out; guarded by appendMu
	spots    spots      // guarded by appendMu

	mu      sync.Mutex // guards what follows
	shelves map[int64]*shelf
	head    ingest.Pos     // the newest visible position
	settled ingest.Pos     // up to here the shelves have everything
	recent  []ingest.Entry // the newest visible entries, for readers that keep up
	wake    chan struct{}  // closed and replaced when head moves
	closed  bool
	places  map[*place]struct{} // of the running readers
	floors  map[string]int64    // before which entries may have been removed, ms

	settleMu sync.Mutex         // one settling, joining, sealing or expiring at a time
	rested   map[int64]struct{} // shelves with nothing to join; guarded by settleMu
	keeper   sync.WaitGroup
	stop     context.CancelFunc
	failed   error // of the keeper's last try; guarded by mu
}

// recentMax is how many entries are kept in memory for readers that keep up;
// a reader further behind reads from the log.
const recentMax = 8192

// ErrClosed is returned by a journal that has been closed.
var ErrClosed = errors.New("the journal is closed")

// Options are how a Journal behaves; the zero value is fine.
type Options struct {
	// Chained says whose runs are chained: those of vessels. It may be nil, and
	// is called by many goroutines.
	Chained func(devices.ID) bool
}

// Open opens the journal in dir, creating the folder when it is missing, and
// begins to keep it in order.
func Open(ctx context.Context, dir string) (*Journal, error) { return OpenWith(ctx, dir, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, dir string, o Options) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create journal folder: %w", err)
	}
	j := &Journal{dir: dir, fresh: newFresh(), shelves: map[int64]*shelf{}, wake: make(chan struct{}), places: map[*place]struct{}{}, spots: newSpots(), rested: map[int64]struct{}{}}
	if err := j.open(ctx, o); err != nil {
		j.Close()
		return nil, err
	}
	keep, stop := context.WithCancel(context.Background())
	j.stop = stop
	j.keeper.Go(func() { j.keep(keep) })
	return j, nil
}

func (j *Journal) open(ctx context.Context, o Options) (err error) {
	if j.log, err = openLog(ctx, j.dir); err != nil {
		return err
	}
	if j.marks, err = openMarks(ctx, j.dir); err != nil {
		return err
	}
	if j.chain, err = openChain(ctx, j.dir, o.Chained); err != nil {
		return err
	}
	if err := j.migrate(ctx); err != nil {
		return err
	}
	if err := j.chain.settleHeads(ctx, j.hasLink); err != nil {
		return err
	}
	if j.settled, j.head, err = j.log.places(ctx); err != nil {
		return fmt.Errorf("read journal's log: %w", err)
	}
	j.next = j.head
	if err := j.marks.load(ctx, func(device string, id identity) {
		if key := j.log.devices.key(device); key != 0 {
			j.fresh.advance(uint64(key), id)
		}
	}); err != nil {
		return err
	}
	if j.floors, err = j.marks.floors(ctx); err != nil {
		return err
	}
	// What no shelf has is in memory.
	now := time.Now()
	return j.log.each(ctx, j.settled, j.head, func(pos ingest.Pos, body []byte) (bool, error) {
		body = slices.Clone(body)
		e, err := j.log.unpack(pos, body)
		if err != nil {
			return false, err
		}
		key := j.log.devices.key(string(deviceOf(&e)))
		j.fresh.add(pos, []packed{{uint64(key), identify(&e), body}}, now)
		return true, nil
	})
}

// Close closes all files and ends all readers. It waits for a running Append.
func (j *Journal) Close() error {
	if j.stop != nil {
		j.stop()
		j.keeper.Wait()
	}
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	close(j.wake)
	for _, s := range j.shelves {
		s.close()
	}
	if j.log != nil {
		j.log.close()
	}
	if j.marks != nil {
		j.marks.close()
	}
	if j.chain != nil {
		j.chain.db.Close()
	}
	return nil
}

// Head is the position of the newest entry; 0 when there is none.
func (j *Journal) Head() ingest.Pos {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

// shelf opens the shelf of a period; nil, when it has no file and is not to be
// made.
func (j *Journal) shelf(ctx context.Context, start time.Time, create bool) (*shelf, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	if s := j.shelves[start.Unix()]; s != nil {
		return s, nil
	}
	if !create {
		starts, err := listShelves(j.dir)
		if err != nil {
			return nil, fmt.Errorf("list journal folder: %w", err)
		}
		if !slices.ContainsFunc(starts, start.Equal) {
			return nil, nil
		}
	}
	s, err := openShelf(ctx, j.dir, start)
	if err != nil {
		return nil, err
	}
	j.shelves[start.Unix()] = s
	return s, nil
}

// show makes the stored entries visible and wakes readers.
func (j *Journal) show(entries []ingest.Entry, stored []bool, head ingest.Pos) {
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
	j.head = head
	close(j.wake)
	j.wake = make(chan struct{})
}
