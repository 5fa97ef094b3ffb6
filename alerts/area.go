package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/areas"
)

// Areas says in which version of which area something was at a time;
// areas.Store is one.
type Areas interface {
	Locate(place *devices.Position, code string, at time.Time) (ref areas.Ref, known bool)
}

// FillAreas gives alerts that were raised before they kept it the version of
// their area that counted when they began.
func (s *Store) FillAreas(ctx context.Context, by Areas) error {
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM alert WHERE area_version IS NULL`)
	if err != nil {
		return fmt.Errorf("find the areas of alerts: %w", err)
	}
	defer rows.Close()
	found := map[string]areas.Ref{}
	for rows.Next() {
		var body string
		var a Alert
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("find the areas of alerts: %w", err)
		}
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			return fmt.Errorf("read alert: %w", err)
		}
		found[a.ID], _ = by.Locate(nil, a.Area, a.StartedAt)
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return err
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for id, ref := range found {
		change := `UPDATE alert SET area_version = ?1 WHERE id = ?2`
		if ref.Code != "" {
			change = `UPDATE alert SET area_version = ?1, body = json_set(body, '$.area_version', ?1) WHERE id = ?2`
		}
		if _, err := tx.ExecContext(ctx, change, ref.String(), id); err != nil {
			return fmt.Errorf("keep the area of alert %s: %w", id, err)
		}
	}
	return tx.Commit()
}

// Tallies counts the alerts that began from a time to another, by area and
// place. Those that turned out not to be are not counted.
func (s *Store) Tallies(ctx context.Context, from, to time.Time) (ts []areas.Tally, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT ifnull(area_version, ''), json_extract(body, '$.lat'), json_extract(body, '$.lon'), count(*) FROM alert
		WHERE started_at >= ? AND started_at < ? AND json_extract(body, '$.clear_reason') IS NOT ? GROUP BY 1, 2, 3`, from.UnixMilli(), to.UnixMilli(), Withdrawn)
	if err != nil {
		return nil, fmt.Errorf("count alerts by area: %w", err)
	}
	if ts, err = areas.ReadTallies(rows); err != nil {
		return nil, fmt.Errorf("count alerts by area: %w", err)
	}
	return ts, nil
}
