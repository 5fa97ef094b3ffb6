package deadletters

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"haidang/devices"
)

// Expiry says what is old enough to go, by time of arrival.
type Expiry struct {
	Before time.Time
	// Held says whether something keeps what a device (empty: of nobody knows
	// whom) sent at a time, ms. It may be nil.
	Held func(dev devices.ID, at int64) bool
}

// Expired is what went, or would go.
type Expired struct {
	Letters, Bytes int64
	Oldest, Newest int64 // times of arrival, ms since 1970 UTC
}

// expireAtOnce is how many go in one transaction.
const expireAtOnce = 500

// WouldExpire calls fn with what Expire would remove.
func (s *Store) WouldExpire(ctx context.Context, x Expiry, fn func(Expired)) error {
	return s.expiring(ctx, x, func(e Expired, _ []int64) error { fn(e); return nil })
}

// Expire removes what is old enough, whatever became of it, by small steps, and
// tells each.
func (s *Store) Expire(ctx context.Context, x Expiry, step func(Expired) error) error {
	return s.expiring(ctx, x, func(e Expired, ids []int64) error {
		gone, err := s.remove(ctx, ids)
		if err != nil {
			return err
		}
		e.Letters = gone
		return step(e)
	})
}

func (s *Store) expiring(ctx context.Context, x Expiry, fn func(Expired, []int64) error) error {
	if x.Before.IsZero() {
		return nil
	}
	for after := int64(0); ; {
		e, ids, next, err := s.old(ctx, x, after)
		if err == nil && len(ids) > 0 {
			err = fn(e, ids)
		}
		if err != nil || next == 0 {
			return err
		}
		after = next
	}
}

// old finds letters that are old enough and held by nothing, after an id; next
// is where to go on, 0 at the end.
func (s *Store) old(ctx context.Context, x Expiry, after int64) (e Expired, ids []int64, next int64, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, device, received_at, `+kept+` FROM dead_letter WHERE id > ? AND received_at < ? ORDER BY id LIMIT ?`, after, x.Before.UnixMilli(), expireAtOnce)
	if err != nil {
		return e, nil, 0, fmt.Errorf("read old dead letters: %w", err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var id, at, bytes int64
		var dev devices.ID
		if err := rows.Scan(&id, &dev, &at, &bytes); err != nil {
			return e, nil, 0, fmt.Errorf("read old dead letters: %w", err)
		}
		seen, next = seen+1, id
		if x.Held != nil && x.Held(dev, at) {
			continue
		}
		if len(ids) == 0 || at < e.Oldest {
			e.Oldest = at
		}
		e.Newest = max(e.Newest, at)
		e.Letters, e.Bytes = e.Letters+1, e.Bytes+bytes
		ids = append(ids, id)
	}
	if seen < expireAtOnce {
		next = 0
	}
	return e, ids, next, rows.Err()
}

// remove takes letters away; fewer than asked for when some went for want of
// room meanwhile.
func (s *Store) remove(ctx context.Context, ids []int64) (gone int64, err error) {
	list, _ := json.Marshal(ids) // numbers always marshal
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("remove old dead letters: %w", err)
	}
	defer tx.Rollback()
	s.mu.Lock()
	defer s.mu.Unlock()
	var bytes int64
	const these = ` FROM dead_letter WHERE id IN (SELECT value FROM json_each(?))`
	if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(`+kept+`),0)`+these, string(list)).Scan(&gone, &bytes); err != nil {
		return 0, fmt.Errorf("remove old dead letters: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE`+these, string(list)); err != nil {
		return 0, fmt.Errorf("remove old dead letters: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("remove old dead letters: %w", err)
	}
	s.held, s.bytes = s.held-gone, s.bytes-bytes
	return gone, nil
}
