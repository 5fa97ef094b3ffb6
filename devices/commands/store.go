package commands

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
)

const columns = `seq,id,device,batch,name,args,who,why,state,created_at,expires_at,timeout_ms,sent_at,delivered_at,ended_at,attempts,message,result`

// querier is a database or a transaction.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func insert(ctx context.Context, tx *sql.Tx, c *Command) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO command(id,device,batch,name,args,who,why,state,created_at,expires_at,timeout_ms) VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
		c.ID, string(c.Device), c.Batch, c.Name, string(c.Args), c.Who, c.Why, string(c.State), c.CreatedAt.UnixMilli(), c.ExpiresAt.UnixMilli(), int64(c.Timeout*1000))
	if err != nil {
		return fmt.Errorf("keep command for %s: %w", c.Device, err)
	}
	return nil
}

// update writes what of a command changes.
func update(ctx context.Context, tx *sql.Tx, c *Command) error {
	_, err := tx.ExecContext(ctx, `UPDATE command SET state=?, sent_at=?, delivered_at=?, ended_at=?, attempts=?, message=?, result=? WHERE id=?`,
		string(c.State), millis(c.SentAt), millis(c.DeliveredAt), millis(c.EndedAt), c.Attempts, c.Message, string(c.Result), c.ID)
	if err != nil {
		return fmt.Errorf("change command %s: %w", c.ID, err)
	}
	return nil
}

// one finds a command by its id; of any device when dev is empty.
func one(ctx context.Context, q querier, dev devices.ID, id string) (*Command, error) {
	c, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM command WHERE id = ? AND (device = ? OR ? = '')`, id, string(dev), string(dev)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("command %.40q: %w", id, devices.ErrNotFound)
	}
	return c, err
}

// selected reads the commands that a condition finds, in its order.
func selected(ctx context.Context, q querier, where string, args ...any) ([]*Command, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM command WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	defer rows.Close()
	var cs []*Command
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, err
		}
		cs = append(cs, c)
	}
	return cs, rows.Err()
}

func scan(row interface{ Scan(...any) error }) (*Command, error) {
	var c Command
	var args, result string
	var created, expires, timeout int64
	var sent, delivered, ended sql.NullInt64
	err := row.Scan(&c.seq, &c.ID, &c.Device, &c.Batch, &c.Name, &args, &c.Who, &c.Why, &c.State, &created, &expires, &timeout, &sent, &delivered, &ended, &c.Attempts, &c.Message, &result)
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		return nil, fmt.Errorf("read command: %w", err)
	}
	c.Args, c.Result = raw(args), raw(result)
	c.CreatedAt, c.ExpiresAt, c.Timeout = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC(), float64(timeout)/1000
	c.SentAt, c.DeliveredAt, c.EndedAt = moment(sent), moment(delivered), moment(ended)
	return &c, nil
}

func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

func moment(ms sql.NullInt64) *time.Time {
	if !ms.Valid {
		return nil
	}
	t := time.UnixMilli(ms.Int64).UTC()
	return &t
}

func millis(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMilli()
}

// Filter narrows a list. Zero members do not.
type Filter struct {
	Device devices.ID
	Batch  string
	State  State
	Before int64 // continue below this cursor
	Limit  int   // 0 means 100
}

// List returns commands, newest first; next is 0 at the end.
func (s *Service) List(ctx context.Context, f Filter) (cs []*Command, next int64, err error) {
	where, args := []string{"1"}, []any{}
	and := func(cond string, arg any, when bool) {
		if when {
			where, args = append(where, cond), append(args, arg)
		}
	}
	and("device = ?", string(f.Device), f.Device != "")
	and("batch = ?", f.Batch, f.Batch != "")
	and("state = ?", string(f.State), f.State != "")
	and("seq < ?", f.Before, f.Before > 0)
	if f.Limit <= 0 {
		f.Limit = 100
	}
	cs, err = selected(ctx, s.DB, strings.Join(where, " AND ")+` ORDER BY seq DESC LIMIT ?`, append(args, f.Limit+1)...)
	if len(cs) > f.Limit {
		cs = cs[:f.Limit]
		next = cs[f.Limit-1].seq
	}
	return cs, next, err
}

// Open returns the newest commands by themselves that have not come to their
// end, at most 500: what a screen starts with.
func (s *Service) Open(ctx context.Context) ([]*Command, error) {
	return selected(ctx, s.DB, `batch = '' AND state IN ('queued','sent','delivered') ORDER BY seq DESC LIMIT 500`)
}
