package mosquitto

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"sync/atomic"
	"time"

	"haidang/devices"
)

// gather is how long a keeper waits for more changes before it writes: a
// thousand devices that are suspended at once are one reload.
const gather = 50 * time.Millisecond

// Keeper writes the files at each change and has mosquitto read them.
type Keeper struct {
	o      Options
	reload []string
	log    *slog.Logger
	stale  chan struct{} // holds one when the files are not as they should be
	again  time.Duration // how long it waits after a failure
	failed atomic.Pointer[error]
}

// NewKeeper keeps the files of o. reload is a program with its arguments that
// has mosquitto read them, by SIGHUP; empty: something else watches the files.
func NewKeeper(o Options, reload []string, log *slog.Logger) *Keeper {
	k := &Keeper{o: o, reload: reload, log: log, stale: make(chan struct{}, 1), again: 5 * time.Second}
	k.Changed("")
	return k
}

// Changed says that what a device may sign in with is not what it was.
func (k *Keeper) Changed(devices.ID) {
	select {
	case k.stale <- struct{}{}:
	default: // it will be seen to already
	}
}

// Run keeps the files until ctx ends. What fails is logged and tried again.
func (k *Keeper) Run(ctx context.Context) error {
	wait := gather
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.stale:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if wait = gather; k.bring(ctx) != nil {
			wait = k.again
			k.Changed("")
		}
	}
}

// bring writes the files and has them read.
func (k *Keeper) bring(ctx context.Context) error {
	select {
	case <-k.stale: // what came while it waited is written now too
	default:
	}
	n, missing, err := Write(k.o)
	if err == nil {
		err = k.readAgain(ctx)
	}
	k.failed.Store(&err)
	if err != nil && ctx.Err() == nil {
		k.log.Error("mosquitto does not know who may sign in now", "component", "mosquitto", "error", err)
		return err
	}
	k.log.Debug("mosquitto's files are written", "component", "mosquitto", "logins", n, "missing", missing)
	return nil
}

// Failed is why mosquitto does not know who may sign in now; nil: it does.
func (k *Keeper) Failed() error {
	if err := k.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (k *Keeper) readAgain(ctx context.Context) error {
	if len(k.reload) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, k.reload[0], k.reload[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("have mosquitto read its files: %w", errors.Join(err, errors.New(string(out[:min(len(out), 500)]))))
	}
	return nil
}
