package main

import (
	"context"
	"database/sql"
	"errors"
)

// influxWriter is the reader that copies the journal to InfluxDB.
type influxWriter interface {
	Run(ctx context.Context) error
}

func (a *app) buildInflux(_ context.Context, _ *sql.DB) error {
	if a.cfg.Influx.URL != "" {
		return errors.New("influxdb.url is set, but this version has no InfluxDB writer yet")
	}
	return nil
}
