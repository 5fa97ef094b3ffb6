package credentials

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Weaknesses are what is weak about what devices sign in with.
type Weaknesses struct {
	// OpenKeys are provisioning keys in force without a bound, HalfOpenKeys those
	// with one of day and number: their labels, or what they are called.
	OpenKeys, HalfOpenKeys []string
	// Without is how many devices in service have neither secret nor certificate.
	Without int
	// Endless, Unrotated and OldHashes count secrets in force: without an end, made
	// two years ago or more, and kept in an earlier version's form.
	Endless, Unrotated, OldHashes int
}

// rotateAfter is how old a device's secret may become: what is in thousands of
// boxes on poles is seen by many hands.
const rotateAfter = 2 * 365 * 24 * time.Hour

// Look finds what is weak in a database that may be open elsewhere. It only
// reads, and brings nothing up to date.
func Look(ctx context.Context, db *sql.DB, now time.Time) (w Weaknesses, err error) {
	ms := now.UnixMilli()
	const valid = `revoked_at=0 AND (not_after=0 OR not_after>?)`
	err = db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE not_after=0), count(*) FILTER (WHERE created_at<=?), count(*) FILTER (WHERE hash LIKE '$sha256$%') FROM credential WHERE `+valid,
		now.Add(-rotateAfter).UnixMilli(), ms).Scan(&w.Endless, &w.Unrotated, &w.OldHashes)
	if err != nil {
		return w, fmt.Errorf("look at secrets: %w", err)
	}
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM device WHERE life='active'
		AND NOT EXISTS(SELECT 1 FROM credential WHERE device=device.key AND `+valid+`)
		AND NOT EXISTS(SELECT 1 FROM certificate WHERE device=device.key AND revoked_at=0 AND not_after>?)`, ms, ms).Scan(&w.Without)
	if err != nil {
		return w, fmt.Errorf("look at devices: %w", err)
	}
	rows, err := db.QueryContext(ctx, selectKeys+` WHERE disabled_at=0 ORDER BY key`)
	if err != nil {
		return w, fmt.Errorf("look at provisioning keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		k, err := getKey(rows)
		if err != nil {
			return w, fmt.Errorf("look at provisioning keys: %w", err)
		}
		name := k.Key
		if k.Label != "" {
			name = k.Label
		}
		switch bounded := k.Most > 0; {
		case k.over(now) != "":
		case !bounded && k.NotAfter.IsZero():
			w.OpenKeys = append(w.OpenKeys, name)
		case !bounded || k.NotAfter.IsZero():
			w.HalfOpenKeys = append(w.HalfOpenKeys, name)
		}
	}
	return w, rows.Err()
}
