package journal

import (
	"context"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Append stores entries and gives each stored one its position. It returns,
// for each entry, whether it was stored (false: a duplicate of one already
// kept). On an error nothing was kept and nothing may be acknowledged.
func (j *Journal) Append(ctx context.Context, entries []ingest.Entry) (stored []bool, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	j.appendMu.Lock()
	defer j.appendMu.Unlock()

	stored = make([]bool, len(entries))
	ids := make([]identity, len(entries))
	idx := make([]int, 0, len(entries))
	batch := make(map[batchKey]struct{}, len(entries)) // each may be there twice
	for i := range entries {
		ids[i] = identify(&entries[i])
		key := batchKey{deviceOf(&entries[i]), ids[i]}
		if _, twice := batch[key]; twice {
			continue
		}
		known, err := j.known(ctx, key.device, ids[i])
		if err != nil {
			return nil, fmt.Errorf("look for an entry of %s in the journal: %w", key.device, err)
		}
		if known {
			continue
		}
		batch[key] = struct{}{}
		stored[i] = true
		idx = append(idx, i)
	}
	if len(idx) == 0 {
		return stored, nil
	}
	first := j.next + 1
	ps, err := j.log.append(ctx, first, entries, idx, ids)
	if err != nil {
		return nil, fmt.Errorf("store %d entries: %w", len(idx), err)
	}
	for k, i := range idx {
		entries[i].Pos = first + ingest.Pos(k)
	}
	j.next += ingest.Pos(len(idx))
	j.fresh.add(first, ps, time.Now())
	j.show(entries, stored, j.next)
	return stored, nil
}

type batchKey struct {
	device devices.ID
	id     identity
}

// known says whether an entry is in the journal. Nearly always it is newer than
// all of its device, and that is known at once.
func (j *Journal) known(ctx context.Context, dev devices.ID, id identity) (bool, error) {
	key := uint64(j.log.devices.key(string(dev)))
	if key == 0 || j.fresh.isNewer(key, id) {
		return false, nil
	}
	if j.fresh.has(key, id) {
		return true, nil
	}
	return j.onShelf(ctx, dev, id)
}
