package health

import (
	"context"
	"log/slog"
	"time"
)

// Heard holds outages until they are kept.
type Heard interface {
	// Outages are those that wait, oldest first; Forget drops the first n.
	Outages() []Outage
	Forget(n int)
}

// Keeper brings what was heard into a store.
type Keeper struct {
	Store *Store
	Heard Heard
	// Listening says whether devices can be heard now.
	Listening func() bool
	Log       *slog.Logger
}

// keptFor is how long outages are kept: three times the longest window.
const keptFor = 90 * 24 * time.Hour

// Run keeps until ctx ends. What could not be kept is tried again.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := k.keep(ctx, time.Now(), n%720 == 0); err != nil && ctx.Err() == nil {
			k.Log.Error("keep how devices do", "component", "health", "error", err)
		}
		select {
		case <-ctx.Done():
			return k.keep(context.WithoutCancel(ctx), time.Now(), false)
		case <-tick.C:
		}
	}
}

func (k *Keeper) keep(ctx context.Context, now time.Time, drop bool) error {
	if k.Listening() {
		if err := k.Store.Listen(ctx, now); err != nil {
			return err
		}
	}
	if os := k.Heard.Outages(); len(os) > 0 {
		if err := k.Store.Add(ctx, os); err != nil {
			return err
		}
		k.Heard.Forget(len(os))
	}
	if drop {
		return k.Store.DropBefore(ctx, now.Add(-keptFor))
	}
	return nil
}
