package main

import (
	"context"
	"path/filepath"
	"time"
)

func (a *app) sourcesPath() string { return filepath.Join(a.cfg.Data, "sources.json") }

// keepSources saves who spoke by which source, now and then and at the end.
func (a *app) keepSources(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		over := false
		select {
		case <-ctx.Done():
			over = true
		case <-tick.C:
		}
		if err := a.pipeline.SaveSources(a.sourcesPath(), time.Now()); err != nil {
			a.log.Error("save who speaks by which source", "error", err)
		}
		if over {
			return nil
		}
	}
}

// keepHouse drops what is older than the retention: readings every hour,
// roll-ups, which are looked through one by one, every day.
func (a *app) keepHouse(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for hour := 0; ; hour++ {
		if hour%24 == 1 {
			if err := a.rollups.DropBefore(ctx, time.Now().AddDate(0, 0, -a.cfg.RollupDays)); err != nil && ctx.Err() == nil {
				a.log.Error("drop old roll-ups", "error", err)
			}
		}
		n, err := a.journal.DropBefore(time.Now().Add(-a.cfg.retention()))
		if err != nil || n > 0 {
			a.log.Info("dropped journal files past their retention", "files", n, "error", err)
		}
		if err := a.changes.Trim(ctx, 100_000); err != nil && ctx.Err() == nil {
			a.log.Error("trim the log of changes", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
