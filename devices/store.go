package devices

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// load reads all devices into memory.
func (r *Registry) load(ctx context.Context) error {
	rows, err := r.db.QueryContext(ctx, `SELECT id,type,name,area,lat,lon,interval_ms,secret_hash,discovered,created_at FROM device`)
	if err != nil {
		return fmt.Errorf("load devices: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Device
		var lat, lon sql.NullFloat64
		var interval, created int64
		if err := rows.Scan(&d.ID, &d.Type, &d.Name, &d.Area, &lat, &lon, &interval, &d.SecretHash, &d.Discovered, &created); err != nil {
			return fmt.Errorf("load devices: %w", err)
		}
		if lat.Valid && lon.Valid {
			d.Position = &Position{lat.Float64, lon.Float64}
		}
		d.Interval, d.CreatedAt = time.Duration(interval)*time.Millisecond, time.UnixMilli(created).UTC()
		r.show(d)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load devices: %w", err)
	}
	return nil
}

type execer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

func save(ctx context.Context, x execer, d *Device) error {
	var lat, lon sql.NullFloat64
	if d.Position != nil {
		lat, lon = sql.NullFloat64{Float64: d.Position.Lat, Valid: true}, sql.NullFloat64{Float64: d.Position.Lon, Valid: true}
	}
	_, err := x.ExecContext(ctx, `INSERT INTO device(key,id,type,name,area,lat,lon,interval_ms,secret_hash,discovered,created_at)
		VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(key) DO UPDATE SET type=excluded.type,name=excluded.name,area=excluded.area,
		lat=excluded.lat,lon=excluded.lon,interval_ms=excluded.interval_ms,secret_hash=excluded.secret_hash,discovered=excluded.discovered`,
		d.ID.Key(), string(d.ID), string(d.Type), d.Name, d.Area, lat, lon, d.Interval.Milliseconds(), d.SecretHash, d.Discovered, d.CreatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("save device %s: %w", d.ID, err)
	}
	return nil
}
