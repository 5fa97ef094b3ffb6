package deadletters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
)

// Stranger is a device that speaks and that nobody registered. What it said
// waits here, and is all that is known of it: the newest 100,000 dead letters
// bound how many there can be.
type Stranger struct {
	ID devices.ID
	// First and Last are when it was heard, as far as its letters are kept.
	First, Last time.Time
	// Letters is how many of its messages wait.
	Letters int
	// Source, Sender and Topic are those of its newest message, Format its decoder.
	Source, Sender, Topic, Format string
}

// Strangers lists devices that speak without being registered, those heard
// last first; query is a part of their ids, in any case. known says who was
// registered since: what of those waits is no stranger's. total is how many
// there are.
func (s *Store) Strangers(ctx context.Context, query string, known func(devices.ID) bool, limit, offset int) (list []Stranger, total int, err error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(query) + "%"
	rows, err := s.db.QueryContext(ctx, `SELECT device, max(id), min(received_at), max(received_at), count(*) FROM dead_letter
		WHERE code = 'device_unknown' AND status = 'new' AND device <> '' AND device LIKE ? ESCAPE '\'
		GROUP BY device COLLATE NOCASE ORDER BY 4 DESC, 2 DESC`, like)
	if err != nil {
		return nil, 0, fmt.Errorf("list unknown devices: %w", err)
	}
	defer rows.Close()
	var newest []int64
	for rows.Next() {
		var x Stranger
		var id, first, last int64
		if err := rows.Scan(&x.ID, &id, &first, &last, &x.Letters); err != nil {
			return nil, 0, fmt.Errorf("list unknown devices: %w", err)
		}
		if known(x.ID) {
			continue
		}
		if total++; total > offset && len(list) < limit {
			x.First, x.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
			list, newest = append(list, x), append(newest, id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("list unknown devices: %w", err)
	}
	return list, total, s.tellNewest(ctx, list, newest)
}

// tellNewest fills in what is known by each one's newest letter; one that went
// meanwhile tells nothing.
func (s *Store) tellNewest(ctx context.Context, list []Stranger, newest []int64) error {
	for i, id := range newest {
		x := &list[i]
		err := s.db.QueryRowContext(ctx, `SELECT device, source, sender, topic, format FROM dead_letter WHERE id = ?`, id).Scan(&x.ID, &x.Source, &x.Sender, &x.Topic, &x.Format)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("list unknown devices: %w", err)
		}
	}
	return nil
}

// Waiting lists the devices of which new dead letters have one of the codes.
func (s *Store) Waiting(ctx context.Context, codes []string) (ids []devices.ID, err error) {
	args := make([]any, len(codes))
	for i, code := range codes {
		args[i] = code
	}
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT device FROM dead_letter WHERE status = 'new' AND device <> '' AND code IN (?`+strings.Repeat(",?", len(codes)-1)+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("list devices of which something waits: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id devices.ID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list devices of which something waits: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
