package devices

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sort"
	"time"
)

// stay is an area that a device was registered in from a time on.
type stay struct {
	since time.Time
	area  string
}

// AreaAt is the code of the area that a device was registered in at a time; what
// it was before we first heard of it, is what we first heard.
func (r *Registry) AreaAt(d *Device, at time.Time) string {
	stays, moved := r.stays.Load(d.ID.Key())
	if !moved {
		return d.Area
	}
	all := stays.([]stay)
	i := sort.Search(len(all), func(i int) bool { return all[i].since.After(at) })
	return all[max(i-1, 0)].area
}

// AreasOf are the codes of the areas that a device is registered in and was
// before, the present one first; none of one that is not known.
func (r *Registry) AreasOf(id ID) (codes []string) {
	d, ok := r.Get(id)
	if !ok {
		return nil
	}
	add := func(code string) {
		if code != "" && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	add(d.Area)
	if stays, moved := r.stays.Load(id.Key()); moved {
		for _, x := range stays.([]stay) {
			add(x.area)
		}
	}
	return codes
}

// keepAreas notes in a transaction which devices are moved to another area.
func keepAreas(ctx context.Context, tx *sql.Tx, cs []change, now time.Time) error {
	for i := range cs {
		c := &cs[i]
		if !c.moves() {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO device_area(key, since, area) SELECT ?1, 0, ?2 WHERE NOT EXISTS (SELECT 1 FROM device_area WHERE key = ?1)`, c.next.ID.Key(), c.old.Area)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO device_area(key, since, area) VALUES(?,?,?)`, c.next.ID.Key(), now.UnixMilli(), c.next.Area)
		}
		if err != nil {
			return fmt.Errorf("keep the area of device %s: %w", c.next.ID, err)
		}
	}
	return nil
}

func (c *change) moves() bool { return c.old != nil && c.old.Area != c.next.Area }

// showAreas makes what keepAreas kept what everybody sees.
func (r *Registry) showAreas(cs []change, now time.Time) {
	for i := range cs {
		c := &cs[i]
		if !c.moves() {
			continue
		}
		all := []stay{{area: c.old.Area}}
		if known, ok := r.stays.Load(c.next.ID.Key()); ok {
			all = known.([]stay)
		}
		r.stays.Store(c.next.ID.Key(), append(all[:len(all):len(all)], stay{now, c.next.Area}))
	}
}

// loadAreas reads where devices were that were moved.
func (r *Registry) loadAreas(ctx context.Context) error {
	rows, err := r.db.QueryContext(ctx, `SELECT key, since, area FROM device_area ORDER BY key, since`)
	if err != nil {
		return fmt.Errorf("load areas of devices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var since int64
		var x stay
		if err := rows.Scan(&key, &since, &x.area); err != nil {
			return fmt.Errorf("load areas of devices: %w", err)
		}
		x.since = fromMillis(since)
		all, _ := r.stays.Load(key)
		known, _ := all.([]stay)
		r.stays.Store(key, append(known, x))
	}
	return rows.Err()
}
