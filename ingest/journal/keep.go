package journal

import (
	"context"
	"time"

	"haidang/ingest"
)

const (
	keepEvery = time.Second
	cutEvery  = 20 * time.Second
	joinEvery = 10 * time.Minute
	// keepPasses is for how many cuts the log keeps what every reader has
	// read: a reader that is killed begins again at the place it last saved.
	keepPasses = 6
)

// keep settles, cuts and joins until ctx ends. What does not succeed is tried
// again; State says why.
func (j *Journal) keep(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	var read [keepPasses]ingest.Pos // where the slowest reader was, oldest first
	nextCut, nextJoin := time.Now().Add(cutEvery), time.Now().Add(joinEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			var err error
			if n, since := j.fresh.waiting(); n >= settleAt || n > 0 && now.Sub(since) >= settleAfter {
				err = j.Settle(ctx)
			}
			if err == nil && now.After(nextCut) {
				copy(read[:], read[1:])
				read[keepPasses-1] = j.slowest()
				err = j.cut(ctx, read[0])
				nextCut = now.Add(cutEvery)
			}
			if err == nil && now.After(nextJoin) {
				err = j.Join(ctx, now)
				nextJoin = now.Add(joinEvery)
			}
			if ctx.Err() == nil {
				j.mu.Lock()
				j.failed = err
				j.mu.Unlock()
			}
		}
	}
}

// slowest is how far every running reader has come.
func (j *Journal) slowest() ingest.Pos {
	j.mu.Lock()
	defer j.mu.Unlock()
	least := j.head
	for p := range j.places {
		least = min(least, p.after)
	}
	return least
}

// Cut drops from the log what is settled and what every running reader has
// read. It is done as time goes by; a reader that comes with an older place is
// told ingest.ErrCut.
func (j *Journal) Cut(ctx context.Context) error { return j.cut(ctx, j.slowest()) }

// cut drops from the log what is settled and read, some rows at a time.
func (j *Journal) cut(ctx context.Context, upTo ingest.Pos) error {
	for more := true; more; {
		j.appendMu.Lock()
		var err error
		more, err = j.log.cut(ctx, j.settledTo(), j.next, upTo)
		j.appendMu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// State says how the journal is.
type State struct {
	// Head is the newest position, Settled up to where the shelves have all.
	Head, Settled ingest.Pos
	// Readers is how far the slowest running reader has come.
	Readers ingest.Pos
	// Failed is why the log could not be put in order at the last try; the
	// journal takes entries all the same.
	Failed error
}

// State returns the state of now.
func (j *Journal) State() State {
	least := j.slowest()
	j.mu.Lock()
	defer j.mu.Unlock()
	return State{j.head, j.settled, least, j.failed}
}
