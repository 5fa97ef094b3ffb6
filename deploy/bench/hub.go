package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
	"haidang/ingest"
	"haidang/ingest/latest"
	"haidang/web/live"
)

// The hub's flood: floodAtOnce changes, each of another of floodFleet devices,
// as often as the hub takes them.
const (
	floodFleet  = 1000
	floodAtOnce = 50
)

// itemMark stands in the name of each device, and so once in each item: a
// client counts items by it, without reading JSON.
const itemMark = '#'

// floodedHub is the real hub with its real parts, and what floods it.
type floodedHub struct {
	*http.ServeMux
	db      *sql.DB
	tracker *latest.Tracker
	hub     *live.Hub
	flood   *floodJournal
}

// serveHub serves the hub and floods it once /begin was asked for. Arguments:
// address, folder.
func serveHub(args []string) error {
	ctx := context.Background()
	h, err := openHub(ctx, args[1])
	if err != nil {
		return err
	}
	go func() { fatal(h.run(ctx)) }()
	return http.ListenAndServe(args[0], h)
}

func openHub(ctx context.Context, dir string) (*floodedHub, error) {
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		return nil, err
	}
	reg, err := devices.NewRegistry(ctx, db)
	if err != nil {
		return nil, err
	}
	fleet := make([]devices.Device, floodFleet)
	for i := range fleet {
		fleet[i] = devices.Device{ID: floodID(i), Type: devices.TypeGeneric, Name: floodName(i), Position: &devices.Position{Lat: 17.46832, Lon: 106.62215}}
	}
	if err := reg.Upsert(ctx, fleet); err != nil {
		return nil, err
	}
	changes, err := changelog.Open(ctx, db)
	if err != nil {
		return nil, err
	}
	taken := &takenRegistry{Registry: reg, wake: make(chan struct{}, 1)}
	h := &floodedHub{http.NewServeMux(), db, latest.New(), nil, &floodJournal{taken: taken, begin: make(chan struct{})}}
	h.hub = live.NewHub(live.Options{Registry: taken, Tracker: h.tracker, Log: changes, Logger: slog.Default(),
		Snapshots: map[string]func(context.Context) ([]json.RawMessage, error){},
		Stats:     func(context.Context) (any, error) { return struct{}{}, nil }})
	begin := sync.OnceFunc(func() { close(h.flood.begin) })
	h.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		h.hub.ServeHTTP(w, r, live.Access{Channel: func(string) bool { return true }})
	})
	h.HandleFunc("/fed", tell(&h.flood.fed))
	h.HandleFunc("/begin", func(http.ResponseWriter, *http.Request) { begin() })
	return h, nil
}

func (h *floodedHub) run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return h.tracker.Run(ctx, h.flood) })
	g.Go(func() error { return h.hub.Run(ctx) })
	return g.Wait()
}

func floodID(device int) devices.ID { return devices.ID(fmt.Sprintf("flood-%06d", device)) }

func floodName(device int) string {
	return fmt.Sprintf("%cTrạm quan trắc không khí %06d", itemMark, device)
}

// takenRegistry notices when the hub looks up the last device of what it was
// given: then it can be given more.
type takenRegistry struct {
	live.Registry
	last atomic.Pointer[devices.ID]
	wake chan struct{}
}

// Get implements live.Registry.
func (t *takenRegistry) Get(id devices.ID) (*devices.Device, bool) {
	if last := t.last.Load(); last != nil && *last == id && t.last.CompareAndSwap(last, nil) {
		t.wake <- struct{}{}
	}
	return t.Registry.Get(id)
}

// floodJournal is a journal in which something new stands as soon as the hub
// has taken what stood there.
type floodJournal struct {
	taken *takenRegistry
	begin chan struct{}
	fed   atomic.Int64 // changes that the hub has taken
}

// Newest implements latest.Journal; nothing came before.
func (f *floodJournal) Newest(context.Context, func([]ingest.Entry)) (ingest.Pos, error) {
	return 0, nil
}

// Follow implements latest.Journal.
func (f *floodJournal) Follow(ctx context.Context, _ ingest.Pos, _ int, fn func(context.Context, []ingest.Entry) error) error {
	select {
	case <-f.begin:
	case <-ctx.Done():
		return ctx.Err()
	}
	for n := 0; ; n += floodAtOnce {
		es := floodEntries(n)
		last := es[len(es)-1].Reading.Device
		f.taken.last.Store(&last)
		if err := fn(ctx, es); err != nil {
			return err
		}
		select {
		case <-f.taken.wake:
			f.fed.Add(floodAtOnce)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// floodEntries are the next changes; n is how many there were.
func floodEntries(n int) []ingest.Entry {
	now := time.Now().UTC().Truncate(time.Millisecond) // as the journal keeps it
	es := make([]ingest.Entry, floodAtOnce)
	for i := range es {
		temp, humidity, pm25, battery := floodValues(n + i)
		es[i] = ingest.Entry{Pos: ingest.Pos(n + i + 1), Reading: &ingest.Reading{Device: floodID((n + i) % floodFleet), FixTime: now, ReceivedAt: now, Seq: ingest.NoSeq,
			Values: []ingest.Value{{Metric: "temp", Number: temp}, {Metric: "humidity", Number: humidity}, {Metric: "pm25", Number: pm25}, {Metric: "battery_v", Number: battery}}}}
	}
	return es
}

// floodValues are what the n-th change says, with two decimals.
func floodValues(n int) (temp, humidity, pm25, battery float64) {
	v := n % 2999
	return float64(2000+v) / 100, float64(6000+v) / 100, float64(1000+v) / 100, float64(1200+v%100) / 100
}
