package sheet

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Devices is the registry into which tables are imported.
type Devices interface {
	Registry
	Apply(ctx context.Context, wanted []devices.Change, entry audit.Entry, done func(n int)) error
}

// Secrets gives devices what they sign in with; credentials.Store is one.
type Secrets interface {
	// IssueSecrets gives each device one, all or none, in their order.
	IssueSecrets(ctx context.Context, ids []devices.ID) ([]string, error)
}

// Letters has what devices said before they were taken in.
type Letters interface {
	// ReplayOf sends what waits of devices through the pipeline again, and says
	// how much of it is kept then. progress is told how many of the devices of
	// which something waits are done.
	ReplayOf(ctx context.Context, ids []devices.ID, progress func(done, total int)) (stored int, err error)
}

// State is how an import does.
type State string

// The states of an import.
const (
	Running State = "running"
	Done    State = "done"    // all of it is in, or, of a dry run, could be
	Refused State = "refused" // something is wrong in the table; nothing was changed
	Failed  State = "failed"  // something else went wrong; nothing was changed
	Stopped State = "stopped" // somebody stopped it
)

// Import is one table on its way into the registry, or how that ended.
type Import struct {
	ID     string `json:"id"`
	State  State  `json:"state"`
	Phase  string `json:"phase"` // reading, checking, writing, secrets, replaying
	DryRun bool   `json:"dry_run"`
	By     string `json:"by"`
	// Done of Total rows of the phase are done.
	Done  int `json:"done"`
	Total int `json:"total"`
	// Created, Updated and Unchanged are how many devices were, or would be.
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// Errors are the first of ErrorCount, Changes the first cells that differ.
	ErrorCount int          `json:"error_count"`
	Errors     []RowError   `json:"errors"`
	Changes    []CellChange `json:"changes"`
	Encoding   string       `json:"encoding,omitempty"`
	Separator  string       `json:"separator,omitempty"`
	StartedAt  time.Time    `json:"started_at"`
	FinishedAt time.Time    `json:"finished_at,omitzero"`
	// Message says in words what else there is to say.
	Message string `json:"message,omitempty"`
	// Secrets is how many new devices have a secret that can be fetched, once.
	Secrets int `json:"secrets"`
	// Replayed is how many readings and events, said before, are kept now.
	Replayed int `json:"replayed"`
}

// Options say how a table is to be taken.
type Options struct {
	DryRun bool
	// DecimalComma says that numbers have a comma for the decimal mark.
	DecimalComma bool
	// Secrets gives each new device a secret.
	Secrets bool
	// By is who imports.
	By string
}

// keepImports is how many that ended can still be asked for.
const keepImports = 20

// Imports takes tables into the registry, one at a time. How they ended is known
// until the program ends; what they changed is in the audit log.
type Imports struct {
	reg  Devices
	keys Secrets
	said Letters // nil: nothing waits
	mu   sync.Mutex
	jobs []*job // oldest first
	wait sync.WaitGroup
}

// job is an import and what belongs to it.
type job struct {
	Import // guarded by Imports.mu
	opts   Options
	data   []byte
	stop   context.CancelFunc
	end    chan struct{}
	err    error      // of a Failed one, or the file's own
	keys   [][]string // id, secret
}

// NewImports imports into reg, with secrets of keys. What the devices that are
// taken in said before is taken from said, which may be nil.
func NewImports(reg Devices, keys Secrets, said Letters) *Imports {
	return &Imports{reg: reg, keys: keys, said: said}
}

// Start begins to import a table and returns at once. devices.ErrConflict says
// that another is on its way. ctx ends nothing; it says who acts.
func (im *Imports) Start(ctx context.Context, data []byte, o Options) (Import, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	for _, j := range im.jobs {
		if j.State == Running {
			return Import{}, fmt.Errorf("import %s by %s is on its way; wait for it, or stop it: %w", j.ID, j.By, devices.ErrConflict)
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	j := &job{opts: o, data: data, stop: stop, end: make(chan struct{})}
	j.Import = Import{ID: rand.Text(), State: Running, Phase: "reading", DryRun: o.DryRun, By: o.By, StartedAt: time.Now().UTC(), Errors: []RowError{}, Changes: []CellChange{}}
	im.jobs = append(im.jobs, j)
	im.jobs = im.jobs[max(0, len(im.jobs)-keepImports):]
	im.wait.Go(func() {
		defer stop()
		err := im.run(ctx, j)
		im.finish(ctx, j, err)
		close(j.end)
	})
	return j.Import, nil
}

// Wait returns an import when it has ended. If ctx ends before, it is stopped.
// The error is that of the file as a whole, or of the program.
func (im *Imports) Wait(ctx context.Context, id string) (Import, error) {
	j, err := im.job(id)
	if err != nil {
		return Import{}, err
	}
	select {
	case <-j.end:
	case <-ctx.Done():
		j.stop()
		<-j.end
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	return j.Import, j.err
}

// Get returns an import as it is now.
func (im *Imports) Get(id string) (Import, error) {
	j, err := im.job(id)
	if err != nil {
		return Import{}, err
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	return j.Import, nil
}

// List returns the imports that are known, the newest first.
func (im *Imports) List() []Import {
	im.mu.Lock()
	defer im.mu.Unlock()
	list := make([]Import, 0, len(im.jobs))
	for _, j := range slices.Backward(im.jobs) {
		list = append(list, j.Import)
	}
	return list
}

// Stop ends an import; nothing of it is in the registry, unless it was all
// written already.
func (im *Imports) Stop(id string) (Import, error) {
	j, err := im.job(id)
	if err != nil {
		return Import{}, err
	}
	j.stop()
	<-j.end
	return im.Get(id)
}

// Secrets returns the secrets that an import gave, as CSV, this once.
func (im *Imports) Secrets(id string) ([]byte, error) {
	j, err := im.job(id)
	if err != nil {
		return nil, err
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	if j.State == Running || len(j.keys) == 0 {
		return nil, fmt.Errorf("import %s has no secrets to show; they are shown once: %w", id, devices.ErrNotFound)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"id", "secret"})
	w.WriteAll(j.keys)
	j.keys, j.Import.Secrets = nil, 0
	return b.Bytes(), w.Error()
}

// Close stops what is on its way and waits for its end.
func (im *Imports) Close() error {
	im.mu.Lock()
	for _, j := range im.jobs {
		j.stop()
	}
	im.mu.Unlock()
	im.wait.Wait()
	return nil
}

func (im *Imports) job(id string) (*job, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	for _, j := range im.jobs {
		if j.ID == id {
			return j, nil
		}
	}
	return nil, fmt.Errorf("import %.40s: %w", id, devices.ErrNotFound)
}

// change changes what is told of an import.
func (im *Imports) change(j *job, fn func(*Import)) {
	im.mu.Lock()
	defer im.mu.Unlock()
	fn(&j.Import)
}

// phase is the reporter of a phase that begins.
func (im *Imports) phase(j *job, name string, total int) (done func(n int)) {
	im.change(j, func(i *Import) { i.Phase, i.Done, i.Total = name, 0, total })
	return func(n int) { im.change(j, func(i *Import) { i.Done = n }) }
}

var errRefused = errors.New("the table was refused")

// run takes an import to its end.
func (im *Imports) run(ctx context.Context, j *job) error {
	sum := sha256.Sum256(j.data)
	t, errs, err := read(j.data)
	j.data = nil
	if err != nil {
		return err
	}
	im.change(j, func(i *Import) { i.Encoding, i.Separator = t.encoding, t.SeparatorName() })
	p, err := t.compare(ctx, im.reg, marks{j.opts.DecimalComma}, im.phase(j, "checking", len(t.Rows)))
	if err != nil {
		return err
	}
	errs = append(errs, p.errs...)
	slices.SortStableFunc(errs, func(a, b RowError) int { return a.Row - b.Row })
	im.change(j, func(i *Import) {
		i.Done, i.Created, i.Updated, i.Unchanged = i.Total, p.created, p.updated, p.unchanged
		i.ErrorCount, i.Errors = len(errs), append(i.Errors, errs[:min(len(errs), maxTold)]...)
		i.Changes = append(i.Changes, p.cells...)
	})
	if len(errs) > 0 {
		return errRefused
	}
	if j.opts.DryRun || len(p.changes) == 0 {
		return nil
	}
	told, _ := json.Marshal(map[string]any{"rows": len(t.Rows), "created": p.created, "updated": p.updated, "sha256": hex.EncodeToString(sum[:])})
	entry := audit.Entry{Action: "device.import", Kind: "import", ID: j.ID, After: told}
	begin := im.beginning(p)
	err = im.reg.Apply(ctx, p.changes, entry, im.phase(j, "writing", len(p.changes)))
	if errors.Is(err, devices.ErrStale) {
		return fmt.Errorf("%s: %w", err, devices.ErrConflict)
	}
	if err != nil {
		return err
	}
	im.change(j, func(i *Import) { i.Done = i.Total })
	if j.opts.Secrets {
		if err := im.issue(ctx, j, p); err != nil {
			return err
		}
	}
	im.replay(ctx, j, begin)
	return nil
}

// beginning are the devices that a plan puts into service.
func (im *Imports) beginning(p *plan) (ids []devices.ID) {
	for i := range p.changes {
		d := &p.changes[i].Device
		if old, known := im.reg.Get(d.ID); d.Life.Speaks() && !(known && old.Life.Speaks()) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// replay takes in what devices said before they were. The table is in: what
// fails here, or is stopped, waits on.
func (im *Imports) replay(ctx context.Context, j *job, ids []devices.ID) {
	if im.said == nil || len(ids) == 0 {
		return
	}
	im.phase(j, "replaying", 0)
	n, err := im.said.ReplayOf(ctx, ids, func(done, total int) {
		im.change(j, func(i *Import) { i.Done, i.Total = done, total })
	})
	im.change(j, func(i *Import) {
		if i.Replayed = n; err != nil {
			i.Message = fmt.Sprintf("all devices are in; what some said before still waits among the dead letters: %v", err)
		}
	})
}

// issue gives each new device a secret. The devices are in; what is stopped here
// is only that.
func (im *Imports) issue(ctx context.Context, j *job, p *plan) error {
	var ids []devices.ID
	for i := range p.changes {
		if c := &p.changes[i]; c.Version == 0 {
			ids = append(ids, c.Device.ID)
		}
	}
	done := im.phase(j, "secrets", len(ids))
	for some := range slices.Chunk(ids, 200) {
		secrets, err := im.keys.IssueSecrets(ctx, some)
		if err != nil {
			im.change(j, func(i *Import) {
				i.Message = fmt.Sprintf("all devices are in; %d of %d have a secret, give the others theirs one by one", len(j.keys), len(ids))
			})
			return err
		}
		im.change(j, func(i *Import) {
			for n, secret := range secrets {
				j.keys = append(j.keys, []string{string(some[n]), secret})
			}
			i.Secrets = len(j.keys)
		})
		done(len(j.keys))
	}
	return nil
}

// finish notes how an import ended.
func (im *Imports) finish(ctx context.Context, j *job, err error) {
	fe, wrongFile := errors.AsType[*devices.FieldError](err)
	im.change(j, func(i *Import) {
		i.FinishedAt = time.Now().UTC()
		switch {
		case err == nil:
			i.State = Done
		case errors.Is(err, errRefused):
			i.State = Refused
		case wrongFile:
			i.State, j.err, i.ErrorCount = Refused, err, 1
			i.Errors = []RowError{{1, fe.Field, "", fe.Reason}}
		case ctx.Err() != nil:
			i.State = Stopped
			if i.Message == "" {
				i.Message = "it was stopped; nothing was changed"
			}
		default:
			i.State, j.err = Failed, err
			if i.Message == "" {
				i.Message = "nothing was changed"
			}
		}
	})
}
