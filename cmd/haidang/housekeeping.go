package main

import (
	"context"
	"path/filepath"
	"time"

	"haidang/ingest"
)

func (a *app) sourcesPath() string { return filepath.Join(a.cfg.Data, "sources.json") }

// keepSaved saves now and then and at the end.
func (a *app) keepSaved(ctx context.Context, every time.Duration, save func() error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	if err := ingest.KeepSaved(ctx, tick.C, a.log, save); err != nil {
		a.log.Error("save what is known at the end", "error", err)
	}
	return nil
}

// keepSources saves who spoke by which source.
func (a *app) keepSources(ctx context.Context) error {
	return a.keepSaved(ctx, time.Minute, func() error { return a.pipeline.SaveSources(a.sourcesPath(), time.Now()) })
}

// keepSnapshot saves the latest values.
func (a *app) keepSnapshot(ctx context.Context) error {
	return a.keepSaved(ctx, 30*time.Second, func() error { return a.tracker.Save(a.snapshotPath()) })
}

// keepHouse sweeps what has expired or is too much, each hour. What is past its
// retention goes at night (retention.Job).
func (a *app) keepHouse(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := a.people.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("sweep what has expired", "error", err)
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
