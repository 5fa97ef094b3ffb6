package reports

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/areas"
)

// Areas says in which version of which area a place was at a time; areas.Store
// is one.
type Areas interface {
	Locate(place *devices.Position, code string, at time.Time) (ref areas.Ref, known bool)
}

func (s *Service) locate(lat, lon *float64, at time.Time) areas.Ref {
	if s.areas == nil || lat == nil || lon == nil {
		return areas.Ref{}
	}
	ref, _ := s.areas.Locate(&devices.Position{Lat: *lat, Lon: *lon}, "", at)
	return ref
}

// fillAreas serves reports taken before they kept their area: each gets the one
// of its own time.
func (s *Service) fillAreas(ctx context.Context) error {
	if s.areas == nil {
		return nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT code, lat, lon, created_at FROM report WHERE area IS NULL`)
	if err != nil {
		return fmt.Errorf("find the areas of reports: %w", err)
	}
	defer rows.Close()
	found := map[string]areas.Ref{}
	for rows.Next() {
		var code string
		var lat, lon *float64
		var at int64
		if err := rows.Scan(&code, &lat, &lon, &at); err != nil {
			return fmt.Errorf("find the areas of reports: %w", err)
		}
		found[code] = s.locate(lat, lon, time.UnixMilli(at))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("find the areas of reports: %w", err)
	}
	if len(found) == 0 {
		return nil
	}
	// In one transaction: a sync each would hold up the start after an upgrade.
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep the areas of reports: %w", err)
	}
	defer tx.Rollback()
	for code, ref := range found {
		if _, err := tx.ExecContext(ctx, `UPDATE report SET area = ?, area_version = ? WHERE code = ?`, ref.Code, ref.String(), code); err != nil {
			return fmt.Errorf("keep the area of report %s: %w", code, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep the areas of reports: %w", err)
	}
	return nil
}

// Tallies counts the reports made from a time to another, by area and place.
func (s *Service) Tallies(ctx context.Context, from, to time.Time) (ts []areas.Tally, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT ifnull(area_version, ''), lat, lon, count(*) FROM report WHERE created_at >= ? AND created_at < ? GROUP BY 1, 2, 3`,
		from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("count reports by area: %w", err)
	}
	if ts, err = areas.ReadTallies(rows); err != nil {
		return nil, fmt.Errorf("count reports by area: %w", err)
	}
	return ts, nil
}

// CountOf says how many reports are with an agency, or have been, in the
// transaction that would delete it.
func (s *Service) CountOf(ctx context.Context, tx *sql.Tx, agency string) (n int, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM report WHERE agency = ?`, agency).Scan(&n); err != nil {
		return 0, fmt.Errorf("count reports of %s: %w", agency, err)
	}
	return n, nil
}

// CategoriesOf says how many kinds of report go to an agency.
func (s *Service) CategoriesOf(_ context.Context, _ *sql.Tx, agency string) (n int, _ error) {
	for _, c := range s.categories {
		if c.Agency == agency {
			n++
		}
	}
	return n, nil
}
