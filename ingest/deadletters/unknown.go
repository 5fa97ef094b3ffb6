package deadletters

import (
	"context"
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
// last first; query is a part of their ids. total is how many there are.
func (s *Store) Strangers(ctx context.Context, query string, limit, offset int) (list []Stranger, total int, err error) {
	const groups = `FROM dead_letter WHERE code = 'device_unknown' AND status = 'new' AND device <> '' AND device LIKE ? ESCAPE '\' GROUP BY device COLLATE NOCASE`
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(query) + "%"
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 `+groups+`)`, like).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count unknown devices: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT l.device, g.first, g.last, g.n, l.source, l.sender, l.topic, l.format
		FROM (SELECT max(id) AS id, min(received_at) AS first, max(received_at) AS last, count(*) AS n `+groups+` ORDER BY last DESC, id DESC LIMIT ? OFFSET ?) g
		JOIN dead_letter l ON l.id = g.id ORDER BY g.last DESC, g.id DESC`, like, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("list unknown devices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var x Stranger
		var first, last int64
		if err := rows.Scan(&x.ID, &first, &last, &x.Letters, &x.Source, &x.Sender, &x.Topic, &x.Format); err != nil {
			return nil, 0, fmt.Errorf("list unknown devices: %w", err)
		}
		x.First, x.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		list = append(list, x)
	}
	return list, total, rows.Err()
}
