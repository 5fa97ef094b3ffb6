package main

import (
	"context"
	"database/sql"

	"haidang/ingest/influx"
)

// buildInflux prepares the reader that copies the journal to InfluxDB, when one
// is named, and asks it for history from then on. It is not waited for: devices never notice that it is away.
func (a *app) buildInflux(ctx context.Context, db *sql.DB) error {
	c := a.cfg.Influx
	if c.URL == "" {
		return nil
	}
	cursor, err := influx.NewCursor(ctx, db)
	if err != nil {
		return err
	}
	cfg := influx.Config{URL: c.URL, Org: c.Org, Bucket: c.Bucket, Token: c.Token}
	a.cursor = cursor
	a.influx = influx.NewWriter(cfg, a.registry, cursor, a.prom, a.log)
	a.history = influx.NewHistory(cfg)
	return nil
}

// influxStatus is nil when no InfluxDB is named.
func (a *app) influxStatus() func() influx.Status {
	if a.influx == nil {
		return nil
	}
	return a.influx.Status
}
