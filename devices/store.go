package devices

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unique"
)

const deviceColumns = `key,id,type,name,area,lat,lon,interval_ms,discovered,created_at,life,life_reason,life_since,
	agency,vendor,network,cohort,gateway,serial,model,firmware,installed_at,notes,photo,labels,updated_at,version`

// saveDevice puts a device. Its key, its id as first written and when it was
// created are never changed. secret_hash is of an earlier version;
// devices/credentials took what was in it.
const saveDevice = `INSERT INTO device(secret_hash,` + deviceColumns + `) VALUES('',?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
	ON CONFLICT(key) DO UPDATE SET type=excluded.type,name=excluded.name,area=excluded.area,lat=excluded.lat,lon=excluded.lon,interval_ms=excluded.interval_ms,
	discovered=excluded.discovered,life=excluded.life,life_reason=excluded.life_reason,life_since=excluded.life_since,
	agency=excluded.agency,vendor=excluded.vendor,network=excluded.network,cohort=excluded.cohort,gateway=excluded.gateway,serial=excluded.serial,model=excluded.model,
	firmware=excluded.firmware,installed_at=excluded.installed_at,notes=excluded.notes,photo=excluded.photo,labels=excluded.labels,updated_at=excluded.updated_at,version=excluded.version`

// columns are a device as saveDevice takes it.
func (d *Device) columns() []any {
	var lat, lon any
	if d.Position != nil {
		lat, lon = d.Position.Lat, d.Position.Lon
	}
	return []any{d.ID.Key(), string(d.ID), string(d.Type), d.Name, d.Area, lat, lon, d.Interval.Milliseconds(), d.Discovered, d.CreatedAt.UnixMilli(),
		string(d.Life), d.LifeReason, millis(d.LifeSince), d.Agency, d.Vendor, d.Network, d.Cohort, string(d.Gateway), d.Serial, d.Model, d.Firmware, d.InstalledAt,
		d.Notes, d.Photo, strings.Join(d.Labels, "\n"), millis(d.UpdatedAt), d.Version}
}

// load reads all devices into memory.
func (r *Registry) load(ctx context.Context) error {
	rows, err := r.db.QueryContext(ctx, `SELECT `+deviceColumns+` FROM device ORDER BY key`)
	if err != nil {
		return fmt.Errorf("load devices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		d, err := scanDevice(rows)
		if err != nil {
			return fmt.Errorf("load devices: %w", err)
		}
		r.show(d)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load devices: %w", err)
	}
	return nil
}

func scanDevice(rows *sql.Rows) (d Device, err error) {
	var lat, lon sql.NullFloat64
	var key, labels string
	var interval, created, since, updated int64
	err = rows.Scan(&key, &d.ID, &d.Type, &d.Name, &d.Area, &lat, &lon, &interval, &d.Discovered, &created, &d.Life, &d.LifeReason, &since,
		&d.Agency, &d.Vendor, &d.Network, &d.Cohort, &d.Gateway, &d.Serial, &d.Model, &d.Firmware, &d.InstalledAt, &d.Notes, &d.Photo, &labels, &updated, &d.Version)
	if err != nil {
		return d, err
	}
	if lat.Valid && lon.Valid {
		d.Position = &Position{lat.Float64, lon.Float64}
	}
	if labels != "" {
		d.Labels = strings.Split(labels, "\n")
	}
	d.Interval, d.CreatedAt = time.Duration(interval)*time.Millisecond, time.UnixMilli(created).UTC()
	d.LifeSince, d.UpdatedAt = fromMillis(since), fromMillis(updated)
	d.intern()
	return d, nil
}

// intern shares what thousands of devices have in common.
func (d *Device) intern() {
	for _, s := range []*string{&d.Area, &d.Agency, &d.Vendor, &d.Network, &d.Cohort, &d.Model, &d.Firmware, (*string)(&d.Type), (*string)(&d.Life), (*string)(&d.Gateway)} {
		*s = unique.Make(*s).Value()
	}
}

// millis is a time in the database; 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// OfAgency counts the devices that an agency owns, retired ones too, in the
// transaction that would delete it.
func (r *Registry) OfAgency(ctx context.Context, tx *sql.Tx, id string) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM device WHERE agency = ?`, id).Scan(&n)
	return n, err
}
