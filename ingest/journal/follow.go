package journal

import (
	"context"
	"fmt"
	"slices"

	"haidang/ingest"
)

// Follow calls fn with the entries after the position after, in order and at
// most max at a time: first what is on disk, then what arrives. It blocks
// until ctx ends, fn fails or the journal closes, and returns why. The entries
// are shared with other readers and must not be changed.
func (j *Journal) Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error {
	if limit <= 0 {
		limit = 5000
	}
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
		if len(rest) == 0 {
			return nil, wake, nil // only duplicates came after it
		}
		return rest[:min(limit, len(rest))], nil, nil
	}
	batch, err := j.readFiles(ctx, after, head, limit)
	if err != nil {
		return nil, nil, err
	}
	if len(batch) == 0 {
		return nil, wake, nil
	}
	return batch, nil, nil
}

// readFiles merges the files' entries with after < pos ≤ head by position.
func (j *Journal) readFiles(ctx context.Context, after, head ingest.Pos, limit int) ([]ingest.Entry, error) {
	var all []ingest.Entry
	for _, f := range j.byStart() {
		j.mu.Lock()
		maxPos := f.maxPos
		j.mu.Unlock()
		if maxPos <= after {
			continue
		}
		part, err := f.readAfter(ctx, after, head, limit)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.path, err)
		}
		all = append(all, part...)
	}
	slices.SortFunc(all, func(a, b ingest.Entry) int { return int(a.Pos - b.Pos) })
	return all[:min(limit, len(all))], nil
}

func (f *file) readAfter(ctx context.Context, after, head ingest.Pos, limit int) ([]ingest.Entry, error) {
	rows, err := f.read.QueryContext(ctx, `SELECT `+rowColumns+` FROM entry WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT ?`, int64(after), int64(head), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ingest.Entry
	for rows.Next() {
		e, err := f.scanRow(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}
