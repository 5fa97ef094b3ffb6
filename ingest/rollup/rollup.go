package rollup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
	"haidang/ingest"
)

// Journal is what roll-ups are made of.
type Journal interface {
	Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error
	Shelved(ctx context.Context, from ingest.ShelfPlace, fn func(context.Context, ingest.ShelfPlace, []ingest.Entry) error) (ingest.Pos, error)
	Readings(ctx context.Context, q ingest.ReadingsQuery) (items []ingest.Reading, next string, err error)
	Series(ctx context.Context, q ingest.SeriesQuery) ([]ingest.Point, error)
	// Floor is before when readings of a device may have been removed.
	Floor(devices.ID) time.Time
}

// Registry is what is asked of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	Interval(*devices.Device) time.Duration
}

// Options are what Rollups need; Metrics may be nil.
type Options struct {
	Journal  Journal
	Registry Registry
	Metrics  prometheus.Registerer
	Log      *slog.Logger
}

// Rollups keep the figures by hour and day. Build them with Open; Run them once.
type Rollups struct {
	Options
	store *store
	marks *marks
	pos   atomic.Int64
	shelf ingest.ShelfPlace // guarded by mu
	mu    sync.Mutex
}

// Open opens or creates the file at path.
func Open(ctx context.Context, path string, o Options) (*Rollups, error) {
	s, err := openStore(ctx, path)
	if err != nil {
		return nil, err
	}
	r := &Rollups{Options: o, store: s}
	if r.marks, err = s.loadMarks(ctx); err != nil {
		s.db.Close()
		return nil, err
	}
	pos, shelf, err := s.place(ctx)
	if err != nil {
		s.db.Close()
		return nil, err
	}
	r.pos.Store(int64(pos))
	r.shelf = shelf
	if o.Metrics != nil {
		o.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "haidang_rollup_marked_hours",
			Help: "Hours of devices that are to be made, the running ones among them."}, func() float64 { return float64(r.marks.len()) }))
	}
	return r, nil
}

// Close closes the file; Run must have ended.
func (r *Rollups) Close() error { return r.store.db.Close() }

// Pos is how far in the journal marks were set.
func (r *Rollups) Pos() ingest.Pos { return ingest.Pos(r.pos.Load()) }

const (
	makeEvery = 5 * time.Second
	saveEvery = 20 * time.Second
	// makeAtOnce bounds one transaction.
	makeAtOnce = 500
)

// Run marks and makes until ctx ends.
func (r *Rollups) Run(ctx context.Context) error {
	inner, end := context.WithCancel(ctx)
	defer end()
	followed := make(chan error, 1)
	go func() { followed <- r.follow(inner) }()
	tick := time.NewTicker(makeEvery)
	defer tick.Stop()
	saved := time.Now()
	for {
		select {
		case err := <-followed:
			return errors.Join(err, r.save(context.WithoutCancel(ctx)))
		case now := <-tick.C:
			if now.Sub(saved) >= saveEvery {
				if err := r.save(ctx); err != nil && ctx.Err() == nil {
					r.Log.Error("save roll-ups' marks; trying again", "component", "ingest.rollup", "error", err)
				}
				saved = now
			}
			if err := r.Make(ctx, now); err != nil && ctx.Err() == nil {
				r.Log.Error("make roll-ups; trying again", "component", "ingest.rollup", "error", err)
			}
		}
	}
}

// follow marks the hours of everything that the journal holds and gets.
func (r *Rollups) follow(ctx context.Context) error {
	for {
		r.mu.Lock()
		shelf := r.shelf
		r.mu.Unlock()
		if shelf == (ingest.ShelfPlace{}) {
			err := r.Journal.Follow(ctx, r.Pos(), 5000, func(_ context.Context, es []ingest.Entry) error {
				r.touch(es)
				r.pos.Store(int64(es[len(es)-1].Pos))
				return nil
			})
			if !errors.Is(err, ingest.ErrCut) {
				return err
			}
		}
		pos, err := r.Journal.Shelved(ctx, shelf, func(_ context.Context, at ingest.ShelfPlace, es []ingest.Entry) error {
			r.touch(es)
			r.mu.Lock()
			r.shelf = at
			r.mu.Unlock()
			return nil
		})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.shelf = ingest.ShelfPlace{}
		r.mu.Unlock()
		r.pos.Store(int64(pos))
	}
}

func (r *Rollups) touch(es []ingest.Entry) {
	now := time.Now()
	r.marks.mu.Lock()
	defer r.marks.mu.Unlock()
	var last mark
	for i := range es {
		if rd := es[i].Reading; rd != nil {
			if k := (mark{rd.Device, hourOf(rd.FixTime)}); k != last {
				r.marks.touch(k, now)
				last = k
			}
		}
	}
}

// save keeps the marks, and with them how far the journal was read. It and Make
// are for one goroutine.
func (r *Rollups) save(ctx context.Context) error {
	pos := r.Pos() // first: its marks are set
	r.mu.Lock()
	shelf := r.shelf
	r.mu.Unlock()
	fresh := r.marks.fresh()
	w, err := r.store.begin(ctx)
	if err != nil {
		return err
	}
	defer w.tx.Rollback()
	if err := w.keepMarks(ctx, fresh); err != nil {
		return err
	}
	if err := w.setPlace(ctx, pos, shelf); err != nil {
		return fmt.Errorf("save roll-ups' place: %w", err)
	}
	if err := w.commit(); err != nil {
		return err
	}
	r.marks.kept(fresh)
	return nil
}
