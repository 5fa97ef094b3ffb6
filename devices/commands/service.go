package commands

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Channel is the commands' channel in the log of changes: a command that
// changed, or a batch.
const Channel = "commands"

// Registry is what the service asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	List(devices.Filter) []*devices.Device
}

// Options are what a Service needs; all are.
type Options struct {
	DB       *sql.DB
	Audit    *audit.Log
	Changes  *changelog.Log
	Registry Registry
	// Publish returns when the broker has the message.
	Publish func(ctx context.Context, topic string, retained bool, payload []byte) error
	// Online says whether a device said that it is connected.
	Online func(devices.ID) bool
	Log    *slog.Logger
}

// Service keeps commands and configurations and brings them to devices while
// Run runs.
type Service struct {
	Options
	began      time.Time
	wake       chan struct{}
	complained time.Time // of Run's goroutine

	mu       sync.Mutex
	open     map[devices.ID]int       // how many commands wait for a device
	due      map[devices.ID]struct{}  // devices that can hear now
	configs  map[devices.ID]struct{}  // whose configuration is to be published
	firmware map[devices.ID]string    // what devices last reported
	asks     map[devices.ID]time.Time // when devices last asked over HTTP
	ended    map[State]int            // how many commands ended so
}

// New brings the tables up to date and takes up what was left.
func New(ctx context.Context, o Options) (*Service, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, o.DB, files, "commands_version"); err != nil {
		return nil, err
	}
	o.Log = o.Log.With("component", "commands")
	s := &Service{Options: o, began: time.Now(), wake: make(chan struct{}, 1), open: map[devices.ID]int{}, due: map[devices.ID]struct{}{},
		configs: map[devices.ID]struct{}{}, firmware: map[devices.ID]string{}, asks: map[devices.ID]time.Time{}, ended: map[State]int{}}
	if err := errors.Join(s.load(ctx), s.loadAsks(ctx)); err != nil {
		return nil, fmt.Errorf("take up commands: %w", err)
	}
	return s, nil
}

// load counts what waits. Each configuration that a device does not have is
// published once more: the broker may have lost it.
func (s *Service) load(ctx context.Context) error {
	rows, err := s.DB.QueryContext(ctx, `SELECT device, count(*) FROM command WHERE state IN ('queued','sent','delivered') GROUP BY device`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id devices.ID
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return err
		}
		s.open[id] = n
	}
	if err := rows.Err(); err != nil {
		return err
	}
	configs, err := s.DB.QueryContext(ctx, `SELECT device, firmware, version > 0 AND (published = 0 OR reported_version IS NOT version) FROM device_config`)
	if err != nil {
		return err
	}
	defer configs.Close()
	for configs.Next() {
		var id devices.ID
		var firmware string
		var again bool
		if err := configs.Scan(&id, &firmware, &again); err != nil {
			return err
		}
		s.firmware[id] = firmware
		if again {
			s.configs[id] = struct{}{}
		}
	}
	return configs.Err()
}

// Send puts a command for one device into the queue. devices.ErrConflict says
// that too many wait for it.
func (s *Service) Send(ctx context.Context, dev *devices.Device, r Request) (*Command, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if !dev.Life.Speaks() {
		return nil, fmt.Errorf("device %s is %s and hears no commands: %w", dev.ID, dev.Life, devices.ErrConflict)
	}
	c := newCommand(dev.ID, "", r, time.Now())
	err := s.change(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM command WHERE device = ? AND state IN ('queued','sent','delivered')`, string(dev.ID)).Scan(&n); err != nil {
			return err
		}
		if n >= maxOpen {
			return fmt.Errorf("%d commands wait for device %s; stop some first: %w", n, dev.ID, devices.ErrConflict)
		}
		if err := insert(ctx, tx, c); err != nil {
			return err
		}
		after, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "command.send", Kind: "device", ID: string(dev.ID), After: after, Why: r.Why}); err != nil {
			return err
		}
		_, err = s.Changes.Append(ctx, tx, Channel, c.ID, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.waits(c.Device, 1)
	return c, nil
}

func newCommand(id devices.ID, batch string, r Request, now time.Time) *Command {
	now = now.UTC().Truncate(time.Millisecond)
	return &Command{ID: uuid.Must(uuid.NewV7()).String(), Device: id, Batch: batch, Name: r.Name, Args: r.Args, Who: r.Who, Why: r.Why, State: Queued,
		CreatedAt: now, ExpiresAt: now.Add(r.Expires), Timeout: r.Timeout.Seconds()}
}

// Stop ends a command that was not sent yet; devices.ErrConflict says that it
// was.
func (s *Service) Stop(ctx context.Context, dev devices.ID, id string) (*Command, error) {
	var c *Command
	err := s.change(ctx, func(tx *sql.Tx) (err error) {
		if c, err = one(ctx, tx, dev, id); err != nil {
			return err
		}
		if c.State != Queued {
			return fmt.Errorf("command %s is %s; only one that waits can be stopped: %w", c.ID, strings.ReplaceAll(string(c.State), "_", " "), devices.ErrConflict)
		}
		now, before := time.Now().UTC().Truncate(time.Millisecond), c.record()
		c.State, c.EndedAt = Stopped, &now
		if err := s.keep(ctx, tx, c); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "command.stop", Kind: "device", ID: string(dev), Before: before, After: c.record()})
	})
	if err != nil {
		return nil, err
	}
	s.endedAs(Stopped, 1)
	s.waits(dev, -1)
	return c, nil
}

// record is what the audit log keeps of a command that is stopped.
func (c *Command) record() json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"name":%q,"state":%q}`, c.ID, c.Name, c.State))
}

// Get finds a command of a device, or devices.ErrNotFound.
func (s *Service) Get(ctx context.Context, dev devices.ID, id string) (*Command, error) {
	return one(ctx, s.DB, dev, id)
}

// change runs fn in a transaction and tells screens of it.
func (s *Service) change(ctx context.Context, fn func(*sql.Tx) error) error {
	if err := statedb.Change(ctx, s.DB, fn); err != nil {
		return err
	}
	s.Changes.Publish(Channel)
	return nil
}

// keep writes a command as it now is. Those of a batch are told of as a batch.
func (s *Service) keep(ctx context.Context, tx *sql.Tx, c *Command) error {
	if err := update(ctx, tx, c); err != nil {
		return err
	}
	if c.Batch != "" {
		return nil
	}
	_, err := s.Changes.Append(ctx, tx, Channel, c.ID, c)
	return err
}

// endedAs counts commands that came to an end.
func (s *Service) endedAs(state State, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[state] += n
}

// waits counts n more commands for a device, and sends them if it can hear.
func (s *Service) waits(id devices.ID, n int) {
	online := n > 0 && s.Online(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] += n; s.open[id] <= 0 {
		delete(s.open, id)
	}
	if online {
		s.due[id] = struct{}{}
		s.nudge()
	}
}

// Heard notes that a device spoke, and so can hear what waits for it.
func (s *Service) Heard(id devices.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) > 0 && s.open[id] > 0 {
		s.due[id] = struct{}{}
		s.nudge()
	}
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Firmware is what a device last reported to run; empty when it never did.
func (s *Service) Firmware(id devices.ID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firmware[id]
}
