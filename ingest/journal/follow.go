package journal

import (
	"context"
	"fmt"
	"slices"

	"haidang/ingest"
)

// place is where a running reader stands.
type place struct{ after ingest.Pos }

// Follow calls fn with the entries after the position after, in order and at
// most limit at a time: first what is in the log, then what arrives. It blocks
// until ctx ends, fn fails or the journal closes, and returns why; ingest.ErrCut
// when the log no longer reaches that far back. The entries are shared with
// other readers and must not be changed.
func (j *Journal) Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error {
	if limit <= 0 {
		limit = 5000
	}
	p := &place{after}
	j.mu.Lock()
	j.places[p] = struct{}{}
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.places, p)
		j.mu.Unlock()
	}()
	for {
		batch, wake, err := j.read(ctx, after, limit)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-wake:
				continue
			}
		}
		if err := fn(ctx, batch); err != nil {
			return err
		}
		after = batch[len(batch)-1].Pos
		j.mu.Lock()
		p.after = after
		j.mu.Unlock()
	}
}

// read returns what follows after, or a channel that closes when there is more.
func (j *Journal) read(ctx context.Context, after ingest.Pos, limit int) ([]ingest.Entry, <-chan struct{}, error) {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil, nil, ErrClosed
	}
	head, wake, recent := j.head, j.wake, j.recent
	j.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if after >= head {
		return nil, wake, nil
	}
	if len(recent) > 0 && after >= recent[0].Pos-1 {
		i, _ := slices.BinarySearchFunc(recent, after+1, func(e ingest.Entry, p ingest.Pos) int { return int(e.Pos - p) })
		rest := recent[i:]
		return rest[:min(limit, len(rest))], nil, nil
	}
	batch, err := j.readLog(ctx, after, head, limit)
	return batch, nil, err
}

func (j *Journal) readLog(ctx context.Context, after, head ingest.Pos, limit int) ([]ingest.Entry, error) {
	batch := make([]ingest.Entry, 0, min(limit, int(head-after)))
	err := j.log.each(ctx, after, head, func(pos ingest.Pos, body []byte) (bool, error) {
		if len(batch) == 0 && pos != after+1 {
			return false, fmt.Errorf("the journal's log begins at %d: %w", pos, ingest.ErrCut)
		}
		e, err := j.log.unpack(pos, body)
		batch = append(batch, e)
		return len(batch) < limit, err
	})
	if err == nil && len(batch) == 0 {
		return nil, fmt.Errorf("the journal's log has nothing up to %d: %w", head, ingest.ErrCut)
	}
	return batch, err
}

// Behind says how many entries follow the position after.
func (j *Journal) Behind(after ingest.Pos) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return max(0, int64(j.head-after))
}

// Oldest is the position with which the log begins; that after the newest when
// it is empty.
func (j *Journal) Oldest(ctx context.Context) (ingest.Pos, error) {
	p, err := j.log.oldest(ctx)
	if err != nil {
		return 0, fmt.Errorf("read journal's log: %w", err)
	}
	if p == 0 {
		p = j.Head() + 1
	}
	return p, nil
}
