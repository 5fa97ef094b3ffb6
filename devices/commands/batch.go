package commands

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"haidang/devices"
	"haidang/devices/audit"
)

// Selection says which devices a bulk command is for: those that are named, or
// all that match. Something of it must be given.
type Selection struct {
	Devices []devices.ID   `json:"devices,omitempty"`
	Type    devices.TypeID `json:"type,omitempty"`
	Area    string         `json:"area,omitempty"`
	Query   string         `json:"q,omitempty"`
}

// Batch is a bulk command and how far it has come.
type Batch struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Args      json.RawMessage `json:"args,omitempty"`
	Filter    json.RawMessage `json:"filter"`
	Who       string          `json:"who"`
	Why       string          `json:"why,omitempty"`
	Total     int             `json:"total"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`
	StoppedAt *time.Time      `json:"stopped_at,omitempty"`
	// Counts is how many commands are in each state; Open how many of them have
	// not come to their end.
	Counts map[State]int `json:"counts"`
	Open   int           `json:"open"`

	seq int64
}

// maxBatch is how many devices one bulk command may be for.
const maxBatch = 20_000

// choose finds the devices of a selection among those that may lets through;
// nil: all.
func (s *Service) choose(sel Selection, may func(*devices.Device) bool) ([]*devices.Device, error) {
	wrong := func(format string, args ...any) error {
		return &devices.FieldError{Field: "filter", Reason: fmt.Sprintf(format, args...)}
	}
	var ds []*devices.Device
	switch {
	case len(sel.Devices) > 0 && (sel.Type != "" || sel.Area != "" || sel.Query != ""):
		return nil, wrong("name devices, or say type, area and q; not both")
	case len(sel.Devices) > 0:
		seen := map[devices.ID]bool{}
		for _, id := range sel.Devices {
			d, ok := s.Registry.Get(id)
			if !ok || may != nil && !may(d) { // one answer: an id must not tell what is outside
				return nil, wrong("%.80q is no device that you may command", id)
			}
			if !d.Life.Speaks() {
				return nil, wrong("device %s is %s and hears no commands", d.ID, d.Life)
			}
			if !seen[d.ID] {
				seen[d.ID] = true
				ds = append(ds, d)
			}
		}
	case sel.Type == "" && sel.Area == "" && sel.Query == "":
		return nil, wrong("say which devices: some by their ids, or by type, area or q")
	default:
		ds = s.Registry.List(devices.Filter{Type: sel.Type, Area: sel.Area, Query: sel.Query})
		if may != nil {
			ds = slices.DeleteFunc(ds, func(d *devices.Device) bool { return !may(d) })
		}
	}
	switch {
	case len(ds) == 0:
		return nil, wrong("no device matches")
	case len(ds) > maxBatch:
		return nil, wrong("%d devices match; one bulk command is for at most %d", len(ds), maxBatch)
	}
	return ds, nil
}

// SendAll puts a command for each of many devices into the queue, all or none. A
// filter chooses among the devices that may lets through (nil: all); one that is
// named and is not among them is an error.
func (s *Service) SendAll(ctx context.Context, sel Selection, may func(*devices.Device) bool, r Request) (*Batch, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	ds, err := s.choose(sel, may)
	if err != nil {
		return nil, err
	}
	filter, err := json.Marshal(sel)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	b := &Batch{ID: uuid.Must(uuid.NewV7()).String(), Name: r.Name, Args: r.Args, Filter: filter, Who: r.Who, Why: r.Why, Total: len(ds),
		CreatedAt: now, ExpiresAt: now.Add(r.Expires), Counts: map[State]int{Queued: len(ds)}, Open: len(ds)}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO command_batch(id,name,args,filter,who,why,total,created_at,expires_at) VALUES(?,?,?,?,?,?,?,?,?)`,
			b.ID, b.Name, string(b.Args), string(b.Filter), b.Who, b.Why, b.Total, b.CreatedAt.UnixMilli(), b.ExpiresAt.UnixMilli()); err != nil {
			return fmt.Errorf("keep bulk command: %w", err)
		}
		for _, d := range ds {
			if err := insert(ctx, tx, newCommand(d.ID, b.ID, r, now)); err != nil {
				return err
			}
		}
		after, err := json.Marshal(b)
		if err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "command.send_all", Kind: "command_batch", ID: b.ID, After: after, Why: r.Why}); err != nil {
			return err
		}
		_, err = s.Changes.Append(ctx, tx, Channel, b.ID, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		s.waits(d.ID, 1)
	}
	return b, nil
}

const batchColumns = `seq,id,name,args,filter,who,why,total,created_at,expires_at,stopped_at`

func scanBatch(row interface{ Scan(...any) error }) (*Batch, error) {
	b := &Batch{}
	var args, filter string
	var created, expires int64
	var stopped sql.NullInt64
	if err := row.Scan(&b.seq, &b.ID, &b.Name, &args, &filter, &b.Who, &b.Why, &b.Total, &created, &expires, &stopped); err != nil {
		return nil, err
	}
	b.Args, b.Filter, b.CreatedAt, b.ExpiresAt, b.StoppedAt = raw(args), raw(filter), time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC(), moment(stopped)
	return b, nil
}

// count fills in how far a batch has come.
func (b *Batch) count(ctx context.Context, q querier) error {
	rows, err := q.QueryContext(ctx, `SELECT state, count(*) FROM command WHERE batch = ? GROUP BY state`, b.ID)
	if err != nil {
		return fmt.Errorf("count bulk command %s: %w", b.ID, err)
	}
	defer rows.Close()
	b.Counts, b.Open = map[State]int{}, 0
	for rows.Next() {
		var state State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		b.Counts[state] = n
		if state.IsOpen() {
			b.Open += n
		}
	}
	return rows.Err()
}

// Batch finds a bulk command, or devices.ErrNotFound.
func (s *Service) Batch(ctx context.Context, id string) (*Batch, error) { return batch(ctx, s.DB, id) }

func batch(ctx context.Context, q querier, id string) (*Batch, error) {
	b, err := scanBatch(q.QueryRowContext(ctx, `SELECT `+batchColumns+` FROM command_batch WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("bulk command %.40q: %w", id, devices.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read bulk command: %w", err)
	}
	return b, b.count(ctx, q)
}

// Every says whether of a bulk command every device is let through by sees. One
// that is no longer known, or whose command was dropped for its age, is not.
func (s *Service) Every(ctx context.Context, b *Batch, sees func(*devices.Device) bool) (bool, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT device FROM command WHERE batch = ?`, b.ID)
	if err != nil {
		return false, fmt.Errorf("read the devices of bulk command %s: %w", b.ID, err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var id devices.ID
		if err := rows.Scan(&id); err != nil {
			return false, fmt.Errorf("read the devices of bulk command %s: %w", b.ID, err)
		}
		if d, ok := s.Registry.Get(id); !ok || !sees(d) {
			return false, nil
		}
		n++
	}
	return n == b.Total, rows.Err()
}

// Batches returns bulk commands, newest first, below the cursor before if that
// is not 0; next is 0 at the end.
func (s *Service) Batches(ctx context.Context, before int64, limit int) (bs []*Batch, next int64, err error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT `+batchColumns+` FROM command_batch WHERE seq < ?1 OR ?1 = 0 ORDER BY seq DESC LIMIT ?2`, before, limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("list bulk commands: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		b, err := scanBatch(rows)
		if err != nil {
			return nil, 0, fmt.Errorf("list bulk commands: %w", err)
		}
		bs = append(bs, b)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("list bulk commands: %w", err)
	}
	if len(bs) > limit {
		bs = bs[:limit]
		next = bs[limit-1].seq
	}
	for _, b := range bs {
		if err := b.count(ctx, s.DB); err != nil {
			return nil, 0, err
		}
	}
	return bs, next, nil
}

// StopBatch stops what of a bulk command was not sent yet. Doing it again
// changes nothing.
func (s *Service) StopBatch(ctx context.Context, id, why string) (*Batch, error) {
	var b *Batch
	var stopped []*Command
	err := s.change(ctx, func(tx *sql.Tx) (err error) {
		if b, err = batch(ctx, tx, id); err != nil {
			return err
		}
		if stopped, err = selected(ctx, tx, `batch = ? AND state = 'queued'`, id); err != nil || len(stopped) == 0 {
			return err
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		if _, err := tx.ExecContext(ctx, `UPDATE command SET state='stopped', ended_at=? WHERE batch=? AND state='queued'`, now.UnixMilli(), id); err != nil {
			return fmt.Errorf("stop bulk command %s: %w", id, err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE command_batch SET stopped_at=coalesce(stopped_at,?) WHERE id=?`, now.UnixMilli(), id); err != nil {
			return fmt.Errorf("stop bulk command %s: %w", id, err)
		}
		if b, err = batch(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "command.stop_all", Kind: "command_batch", ID: id, Before: json.RawMessage(fmt.Sprintf(`{"queued":%d}`, len(stopped))), After: json.RawMessage(fmt.Sprintf(`{"stopped":%d}`, len(stopped))), Why: why}); err != nil {
			return err
		}
		_, err = s.Changes.Append(ctx, tx, Channel, b.ID, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.endedAs(Stopped, len(stopped))
	for _, c := range stopped {
		s.waits(c.Device, -1)
	}
	return b, nil
}

// tellBatches tells screens how far the batches of changed commands have come.
func (s *Service) tellBatches(ctx context.Context, tx *sql.Tx, changed []*Command) error {
	told := map[string]bool{"": true}
	for _, c := range changed {
		if told[c.Batch] {
			continue
		}
		told[c.Batch] = true
		b, err := batch(ctx, tx, c.Batch)
		if err != nil {
			return err
		}
		if _, err := s.Changes.Append(ctx, tx, Channel, b.ID, b); err != nil {
			return err
		}
	}
	return nil
}
