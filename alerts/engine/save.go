package engine

import (
	"context"
	"time"
)

// saveUntilDone saves, again and again while the disk does not take it: giving
// up would lose alerts.
func (e *Engine) saveUntilDone(ctx context.Context) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := e.save(context.WithoutCancel(ctx))
		if err == nil {
			return nil
		}
		e.log.Error("save alerts", "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// save writes changed alerts, what the rules remember and the place in the
// journal in one transaction.
func (e *Engine) save(ctx context.Context) error {
	tx, err := e.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, a := range e.changed {
		if err := mergeAck(ctx, e.store, tx, a); err != nil {
			return err
		}
		if err := e.store.Put(ctx, tx, a); err != nil {
			return err
		}
	}
	if err := e.state.save(ctx, tx, e.pos, e.memory, e.dirty); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if len(e.changed) > 0 {
		e.store.Published()
	}
	e.changed, e.saved = nil, time.Now()
	clear(e.dirty)
	return nil
}
