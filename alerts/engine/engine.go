// Package engine judges readings by rules: a journal reader in event time.
//
// Its state, its place in the journal and the alerts it changes are written in
// one transaction, so that after a crash the same readings lead to the same
// alerts, once. A batch that changes no alert costs no transaction; the place
// is then saved once a second.
//
// A reading older than what a rule has already judged never changes the
// present: it can only add a late alert, closed and for review.
package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/ingest"
)

// Registry is what the engine asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	Type(devices.TypeID) (*devices.Type, bool)
	List(devices.Filter) []*devices.Device
	Interval(*devices.Device) time.Duration
}

// LastSeen says when a device last spoke.
type LastSeen interface{ LastSeen(devices.ID) time.Time }

// Follower is a journal.
type Follower interface {
	Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error
}

// Engine judges. Build it with New; Run it once.
type Engine struct {
	store *alerts.Store
	state *stateStore
	reg   Registry
	seen  LastSeen
	log   *slog.Logger

	byType  map[devices.TypeID][]*rules.Rule
	absence []*rules.Rule

	mu      sync.Mutex // guards what follows: the reader and the clock take turns
	pos     ingest.Pos
	open    map[string]*alerts.Alert // by key
	memory  map[memoryKey]*memory
	dirty   map[memoryKey]struct{}
	changed []*alerts.Alert
	saved   time.Time
	began   time.Time
}

type memoryKey struct {
	rule   string
	device devices.ID
}

// memory is what a rule remembers of a device.
type memory struct {
	// Last is the newest fix time judged.
	Last time.Time `json:"last"`
	// Pending is since when the limit is crossed, before `for` has passed.
	Pending time.Time `json:"pending,omitzero"`
	// Inside is where the device was, for a fence; nil before the first fix.
	Inside *bool `json:"inside,omitempty"`
	// LateFrom to LateTo is what the newest late alert covers.
	LateFrom time.Time `json:"late_from,omitzero"`
	LateTo   time.Time `json:"late_to,omitzero"`
}

// New loads the engine's state.
func New(ctx context.Context, store *alerts.Store, rs []rules.Rule, reg Registry, seen LastSeen, log *slog.Logger) (*Engine, error) {
	e := &Engine{store: store, reg: reg, seen: seen, log: log, byType: map[devices.TypeID][]*rules.Rule{},
		open: map[string]*alerts.Alert{}, memory: map[memoryKey]*memory{}, dirty: map[memoryKey]struct{}{}, began: time.Now()}
	for i := range rs {
		r := &rs[i]
		if _, ok := reg.Type(r.DeviceType); !ok {
			return nil, fmt.Errorf("rule %s: there is no device type %q", r.ID, r.DeviceType)
		}
		if r.Kind == rules.Absence {
			e.absence = append(e.absence, r)
			continue
		}
		e.byType[r.DeviceType] = append(e.byType[r.DeviceType], r)
	}
	opened, err := store.AllOpen(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range opened {
		e.open[a.Key()] = a
	}
	e.state = &stateStore{store}
	e.pos, err = e.state.load(ctx, e.memory)
	return e, err
}

// Run judges what the journal holds and gets, until ctx ends.
func (e *Engine) Run(ctx context.Context, j Follower) error {
	clock := make(chan error, 1)
	clockCtx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { clock <- e.runClock(clockCtx) }()
	err := j.Follow(ctx, e.pos, 5000, e.Take)
	stop()
	<-clock
	e.mu.Lock()
	defer e.mu.Unlock()
	if saveErr := e.save(context.WithoutCancel(ctx)); saveErr != nil {
		e.log.Error("save alert engine's state", "component", "alerts.engine", "error", saveErr)
	}
	return err
}

// Take judges a batch.
func (e *Engine) Take(ctx context.Context, es []ingest.Entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range es {
		// What was judged before must not be judged as late.
		if r := es[i].Reading; r != nil && es[i].Pos > e.pos {
			e.judge(r)
		}
	}
	e.pos = es[len(es)-1].Pos
	if len(e.changed) > 0 || time.Since(e.saved) > time.Second {
		return e.saveUntilDone(ctx)
	}
	return nil
}

func (e *Engine) judge(r *ingest.Reading) {
	dev, ok := e.reg.Get(r.Device)
	if !ok {
		return
	}
	for _, rule := range e.byType[dev.Type] {
		if rule.Device != "" && rule.Device != dev.ID {
			continue
		}
		switch rule.Kind {
		case rules.Threshold:
			e.judgeThreshold(rule, dev, r)
		case rules.Geofence:
			e.judgeFence(rule, dev, r)
		}
	}
}

func (e *Engine) remember(rule *rules.Rule, dev *devices.Device) *memory {
	k := memoryKey{rule.ID, dev.ID}
	m := e.memory[k]
	if m == nil {
		m = &memory{}
		e.memory[k] = m
	}
	e.dirty[k] = struct{}{}
	return m
}

// raise opens an alert, unless one of its key is open.
func (e *Engine) raise(rule *rules.Rule, dev *devices.Device, started time.Time, late bool, fill func(*alerts.Alert)) {
	a := &alerts.Alert{ID: uuid.Must(uuid.NewV7()).String(), Rule: rule.ID, RuleName: rule.Name, Kind: string(rule.Kind),
		Device: string(dev.ID), DeviceName: dev.Name, DeviceType: string(dev.Type), Area: dev.Area, Severity: rule.Severity,
		State: alerts.Open, StartedAt: started.UTC(), DetectedAt: time.Now().UTC().Truncate(time.Millisecond), Late: late}
	if p := dev.Position; p != nil {
		a.Lat, a.Lon = &p.Lat, &p.Lon
	}
	fill(a)
	if a.State == alerts.Open {
		if e.open[a.Key()] != nil {
			return
		}
		e.open[a.Key()] = a
	}
	e.changed = append(e.changed, a)
}

func (e *Engine) clear(a *alerts.Alert, at time.Time) {
	c := *a // the acknowledgement may have been written meanwhile; save merges it
	at = at.UTC()
	c.State, c.ClearedAt = alerts.Closed, &at
	delete(e.open, a.Key())
	e.changed = append(e.changed, &c)
}

// saveUntilDone saves, again and again while the disk does not take it: giving
// up would lose alerts.
func (e *Engine) saveUntilDone(ctx context.Context) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := e.save(context.WithoutCancel(ctx))
		if err == nil {
			return nil
		}
		e.log.Error("save alerts", "component", "alerts.engine", "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *Engine) save(ctx context.Context) error {
	tx, err := e.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, a := range e.changed {
		if a.ClearedAt != nil {
			if err := mergeAck(ctx, e.store, tx, a); err != nil {
				return err
			}
		}
		if err := e.store.Put(ctx, tx, a); err != nil {
			return err
		}
	}
	if err := e.state.save(ctx, tx, e.pos, e.memory, e.dirty); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if len(e.changed) > 0 {
		e.store.Published()
	}
	e.changed, e.saved = nil, time.Now()
	clear(e.dirty)
	return nil
}

// encode is the stored form of a memory.
func (m *memory) encode() (string, error) {
	b, err := json.Marshal(m)
	return string(b), err
}
