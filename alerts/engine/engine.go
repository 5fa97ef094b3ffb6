// Package engine judges readings by rules: a journal reader in event time.
//
// Its state, its place in the journal and the alerts it changes are written in
// one transaction, so that after a crash the same readings lead to the same
// alerts, once. A batch that changes no alert costs no transaction; the place
// is then saved every ten seconds.
//
// A reading older than what a rule has already judged never sounds the siren:
// it marks the span of time it touches, and the clock then judges that span
// again, from the journal and in order, as if all had arrived in time. What
// this finds beyond the known alerts is added as late alerts, for review.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"haidang/alerts"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
)

// Registry is what the engine asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	Type(devices.TypeID) (*devices.Type, bool)
	List(devices.Filter) []*devices.Device
	Interval(*devices.Device) time.Duration
	// AreaAt is the code of the area that a device was registered in at a time.
	AreaAt(*devices.Device, time.Time) string
}

// LastSeen says when a device last spoke.
type LastSeen interface{ LastSeen(devices.ID) time.Time }

// Follower is a journal.
type Follower interface {
	Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error
	Oldest(ctx context.Context) (ingest.Pos, error)
}

// History answers with what was received, in order of fix time.
type History interface {
	Readings(ctx context.Context, q ingest.ReadingsQuery) (items []ingest.Reading, next string, err error)
}

// Engine judges. Build it with New; Run it once.
type Engine struct {
	store *alerts.Store
	state *stateStore
	reg   Registry
	seen  LastSeen
	past  History
	areas alerts.Areas // nil: alerts have the area of their device, without a version
	log   *slog.Logger

	byID    map[string]*rules.Rule
	byType  map[devices.TypeID][]*rules.Rule
	absence []*rules.Rule
	events  []*rules.Rule

	mu      sync.Mutex // guards what follows: the reader and the clock take turns
	pos     ingest.Pos
	open    map[string]*alerts.Alert // by key
	memory  map[memoryKey]*memory
	dirty   map[memoryKey]struct{}
	late    map[memoryKey]*lateWait
	changed []*alerts.Alert
	saved   time.Time
	began   time.Time
	cohorts map[string]string // the open group outages: their key by ID
	// returning is since when most of a group outage's members are back.
	returning map[string]time.Time

	traits  func(*devices.Device) health.Traits
	cohort  CohortOptions
	grouped map[string][]*devices.Device // by group, as of this tick; nil until asked for
}

type memoryKey struct {
	rule   string
	device devices.ID
}

// memory is what a rule remembers of a device.
type memory struct {
	// Last is the newest event time judged.
	Last time.Time `json:"last"`
	course
	// LateFrom to LateTo is the span of late readings still to be judged.
	LateFrom time.Time `json:"late_from,omitzero"`
	LateTo   time.Time `json:"late_to,omitzero"`
}

// Options are the engine's collaborators; all but Areas are needed.
type Options struct {
	Store    *alerts.Store
	Rules    []rules.Rule
	Registry Registry
	Seen     LastSeen
	History  History
	Areas    alerts.Areas
	Log      *slog.Logger
	// Traits are what the registry says of a device that its silence goes by;
	// nil: only its interval is known, and it belongs to no group.
	Traits func(*devices.Device) health.Traits
	// Cohort says when many silences are one; the zero value takes the defaults.
	Cohort CohortOptions
}

// New loads the engine's state. An open alert whose rule is gone is closed:
// nothing would ever clear it.
func New(ctx context.Context, o Options) (*Engine, error) {
	e := &Engine{store: o.Store, state: &stateStore{o.Store}, reg: o.Registry, seen: o.Seen, past: o.History, areas: o.Areas, log: o.Log.With("component", "alerts.engine"),
		byID: map[string]*rules.Rule{}, byType: map[devices.TypeID][]*rules.Rule{}, open: map[string]*alerts.Alert{},
		memory: map[memoryKey]*memory{}, dirty: map[memoryKey]struct{}{}, late: map[memoryKey]*lateWait{}, began: time.Now(),
		cohorts: map[string]string{}, returning: map[string]time.Time{}, traits: o.Traits, cohort: o.Cohort.orDefault()}
	if e.traits == nil {
		e.traits = func(d *devices.Device) health.Traits {
			return health.TraitsOf(e.reg, d)
		}
	}
	rs := o.Rules
	for i := range rs {
		r := &rs[i]
		if _, ok := e.reg.Type(r.DeviceType); !ok && r.DeviceType != "" {
			return nil, fmt.Errorf("rule %s: there is no device type %q", r.ID, r.DeviceType)
		}
		e.byID[r.ID] = r
		switch r.Kind {
		case rules.Absence:
			e.absence = append(e.absence, r)
		case rules.Event:
			e.events = append(e.events, r)
		default:
			e.byType[r.DeviceType] = append(e.byType[r.DeviceType], r)
		}
	}
	var err error
	if e.areas != nil {
		if err := e.store.FillAreas(ctx, e.areas); err != nil {
			return nil, err
		}
	}
	if e.pos, err = e.state.load(ctx, e.memory); err != nil {
		return nil, err
	}
	for k, m := range e.memory {
		if e.byID[k.rule] == nil {
			delete(e.memory, k)
		} else if !m.LateFrom.IsZero() {
			e.late[k] = &lateWait{}
		}
	}
	opened, err := e.store.AllOpen(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range opened {
		e.open[a.Key()] = a
		if a.Kind == alerts.CohortKind {
			e.cohorts[a.ID] = a.Key()
		} else if r := e.byID[a.Rule]; r == nil || r.DeviceType != "" && string(r.DeviceType) != a.DeviceType || r.Fence != a.Fence {
			e.clear(a, time.Now(), alerts.RuleRemoved)
		}
	}
	if len(e.changed) > 0 {
		return e, e.save(ctx)
	}
	return e, nil
}

// Run judges what the journal holds and gets, until ctx ends.
func (e *Engine) Run(ctx context.Context, j Follower) error {
	clock := make(chan error, 1)
	clockCtx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { clock <- e.runClock(clockCtx) }()
	err := e.follow(ctx, j)
	stop()
	<-clock
	e.mu.Lock()
	defer e.mu.Unlock()
	if saveErr := e.save(context.WithoutCancel(ctx)); saveErr != nil {
		e.log.Error("save the engine's state", "error", saveErr)
	}
	return err
}

// follow judges from where it was. When the journal's log begins later than
// that, for the state comes from an old copy, what lies between is not judged.
func (e *Engine) follow(ctx context.Context, j Follower) error {
	err := j.Follow(ctx, e.pos, 5000, e.Take)
	for errors.Is(err, ingest.ErrCut) {
		var oldest ingest.Pos
		if oldest, err = j.Oldest(ctx); err != nil {
			return err
		}
		e.log.Error("readings were not judged: the engine's state is older than the journal's log", "from", e.pos+1, "to", oldest-1)
		e.mu.Lock()
		e.pos = oldest - 1
		e.mu.Unlock()
		err = j.Follow(ctx, oldest-1, 5000, e.Take)
	}
	return err
}

// Pos is how far in the journal readings were judged.
func (e *Engine) Pos() ingest.Pos {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pos
}

// saveEvery bounds how much is judged again after a kill; each device and rule
// that was judged meanwhile is one row to write.
const saveEvery = 10 * time.Second

// Take judges a batch.
func (e *Engine) Take(ctx context.Context, es []ingest.Entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range es {
		// What was judged before a restart must not be judged as late.
		if es[i].Pos <= e.pos {
			continue
		}
		if r := es[i].Reading; r != nil {
			e.judge(r)
		} else {
			e.judgeEvent(es[i].Event)
		}
	}
	e.pos = es[len(es)-1].Pos
	if len(e.changed) > 0 || time.Since(e.saved) > saveEvery {
		return e.saveUntilDone(ctx)
	}
	return nil
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
	place(a, dev.Position)
	fill(a)
	e.locate(a, dev)
	if a.State == alerts.Open {
		if e.open[a.Key()] != nil {
			return
		}
		e.open[a.Key()] = a
	}
	e.changed = append(e.changed, a)
}

// place says where an alert is, if that is known.
func place(a *alerts.Alert, p *devices.Position) {
	if p != nil {
		a.Lat, a.Lon = &p.Lat, &p.Lon
	}
}

// amend changes an open alert; others may hold what it was.
func (e *Engine) amend(open *alerts.Alert, change func(*alerts.Alert)) {
	c := *open
	change(&c)
	e.open[c.Key()] = &c
	e.changed = append(e.changed, &c)
}

// clear closes an open alert; why is empty when its condition ended.
func (e *Engine) clear(a *alerts.Alert, at time.Time, why string) {
	c := *a // others may hold a
	at = at.UTC()
	c.State, c.ClearedAt, c.ClearReason = alerts.Closed, &at, why
	delete(e.open, a.Key())
	e.changed = append(e.changed, &c)
}
