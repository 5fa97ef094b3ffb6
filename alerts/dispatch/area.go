package dispatch

import (
	"context"
	"fmt"
	"time"

	"haidang/devices/areas"
)

// Tallies counts the work orders given from a time to another, by area and
// place.
func (s *Service) Tallies(ctx context.Context, from, to time.Time) (ts []areas.Tally, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT area_version, json_extract(body, '$.lat'), json_extract(body, '$.lon'), count(*) FROM work_order
		WHERE created_at >= ? AND created_at < ? GROUP BY 1, 2, 3`, from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("count work orders by area: %w", err)
	}
	if ts, err = areas.ReadTallies(rows); err != nil {
		return nil, fmt.Errorf("count work orders by area: %w", err)
	}
	return ts, nil
}
