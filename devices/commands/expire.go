package commands

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"haidang/devices"
)

// Expiry says what is old enough to go, by when commands came to their end.
type Expiry struct {
	Before time.Time
	// Held says whether something keeps what a device was told at a time, ms.
	// It may be nil.
	Held func(dev devices.ID, at int64) bool
}

// Gone is what went, or would go.
type Gone struct {
	Commands       int64
	Oldest, Newest int64 // when they ended, ms since 1970 UTC
}

// expireAtOnce is how many go in one transaction.
const expireAtOnce = 500

// WouldExpire calls fn with what Expire would remove.
func (s *Service) WouldExpire(ctx context.Context, x Expiry, fn func(Gone)) error {
	return s.expiring(ctx, x, func(e Gone, _ []int64) error { fn(e); return nil })
}

// Expire forgets commands that are old enough, and bulk commands of which
// nothing is left, by small steps, and tells each.
func (s *Service) Expire(ctx context.Context, x Expiry, step func(Gone) error) error {
	err := s.expiring(ctx, x, func(e Gone, seqs []int64) error {
		list, _ := json.Marshal(seqs) // numbers always marshal
		err := s.change(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM command WHERE seq IN (SELECT value FROM json_each(?))`, string(list))
			return err
		})
		if err != nil {
			return fmt.Errorf("drop old commands: %w", err)
		}
		return step(e)
	})
	if err != nil || x.Before.IsZero() {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM command_batch WHERE created_at < ? AND NOT EXISTS (SELECT 1 FROM command WHERE command.batch = command_batch.id)`, x.Before.UnixMilli())
		if err != nil {
			return fmt.Errorf("drop old bulk commands: %w", err)
		}
		return nil
	})
}

func (s *Service) expiring(ctx context.Context, x Expiry, fn func(Gone, []int64) error) error {
	if x.Before.IsZero() {
		return nil
	}
	for after := int64(0); ; {
		e, seqs, next, err := s.old(ctx, x, after)
		if err == nil && len(seqs) > 0 {
			err = fn(e, seqs)
		}
		if err != nil || next == 0 {
			return err
		}
		after = next
	}
}

// old finds commands that are old enough and held by nothing, after a number;
// next is where to go on, 0 at the end.
func (s *Service) old(ctx context.Context, x Expiry, after int64) (e Gone, seqs []int64, next int64, err error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT seq, device, ended_at FROM command WHERE seq > ? AND ended_at < ? ORDER BY seq LIMIT ?`, after, x.Before.UnixMilli(), expireAtOnce)
	if err != nil {
		return e, nil, 0, fmt.Errorf("read old commands: %w", err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var seq, at int64
		var dev devices.ID
		if err := rows.Scan(&seq, &dev, &at); err != nil {
			return e, nil, 0, fmt.Errorf("read old commands: %w", err)
		}
		seen, next = seen+1, seq
		if x.Held != nil && x.Held(dev, at) {
			continue
		}
		if len(seqs) == 0 || at < e.Oldest {
			e.Oldest = at
		}
		e.Newest, e.Commands = max(e.Newest, at), e.Commands+1
		seqs = append(seqs, seq)
	}
	if seen < expireAtOnce {
		next = 0
	}
	return e, seqs, next, rows.Err()
}
