package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Overlapping returns the alerts of a key that were open at some time between
// from and to, both included, oldest first.
func (s *Store) Overlapping(ctx context.Context, key string, from, to time.Time) ([]*Alert, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM alert WHERE key = ? AND started_at <= ? AND (cleared_at IS NULL OR cleared_at >= ?)
		ORDER BY started_at, rowid`, key, to.UnixMilli(), from.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list alerts of %s: %w", key, err)
	}
	defer rows.Close()
	var items []*Alert
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		a := &Alert{}
		if err := json.Unmarshal([]byte(body), a); err != nil {
			return nil, fmt.Errorf("read alert: %w", err)
		}
		items = append(items, a)
	}
	return items, rows.Err()
}
