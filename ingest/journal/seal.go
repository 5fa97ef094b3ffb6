package journal

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"haidang/devices"
)

// sealAtOnce bounds one transaction, and so how long a settling waits.
const sealAtOnce = 500

// hasLink says whether a shelf has a block.
func (j *Journal) hasLink(ctx context.Context, start int64, device string, l Link) (bool, error) {
	s, err := j.shelf(ctx, time.Unix(start, 0).UTC(), false)
	if err != nil || s == nil {
		return false, err
	}
	var n int
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM link WHERE device=? AND no=? AND hash=?`, s.devices.key(device), l.No, l.Hash).Scan(&n)
	return n > 0, err
}

// HasBlock says whether a vessel's chain still has a block that was noted
// elsewhere: on a shelf, or gone past its retention.
func (j *Journal) HasBlock(ctx context.Context, h TrackHead) (bool, error) {
	if l := j.chain.head(string(h.Device)); l.No == h.No && bytes.Equal(l.Hash, h.Hash) {
		return true, nil
	}
	starts, err := listShelves(j.dir)
	if err != nil {
		return false, fmt.Errorf("list journal folder: %w", err)
	}
	starts = sortTimes(starts)
	for _, start := range slices.Backward(starts) { // it is most often on the newest
		if has, err := j.hasLink(ctx, start.Unix(), string(h.Device), h.Link); err != nil || has {
			return has, err
		}
	}
	// Of those that went, only the hash of the last is left.
	var n int
	err = j.chain.db.QueryRowContext(ctx, `SELECT count(*) FROM gone WHERE device=? AND first<=? AND (last>? OR last=? AND hash=?)`, string(h.Device), h.No, h.No, h.No, h.Hash).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("read the chains of vessel tracks: %w", err)
	}
	return n > 0, nil
}

// Seal takes into the chains the runs of vessels that came to the shelves before
// there was a chain, or before the device became a vessel. After that a run of
// such a device without a link is none of ours.
func (j *Journal) Seal(ctx context.Context) error {
	open, err := j.unsealed(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	starts, err := listShelves(j.dir)
	if err != nil {
		return fmt.Errorf("list journal folder: %w", err)
	}
	for _, start := range sortTimes(starts) {
		for _, dev := range open {
			for more := true; more; {
				if more, err = j.sealSome(ctx, start, dev); err != nil {
					return fmt.Errorf("seal the tracks of %s: %w", dev, err)
				}
			}
		}
	}
	for _, dev := range open {
		if _, err := j.chain.db.ExecContext(ctx, `UPDATE head SET whole=1 WHERE device=?`, dev); err != nil {
			return fmt.Errorf("seal the tracks of %s: %w", dev, err)
		}
	}
	return nil
}

// unsealed are the chained devices of which something may be without a link.
func (j *Journal) unsealed(ctx context.Context) (devs []string, err error) {
	whole := map[string]bool{}
	rows, err := j.chain.db.QueryContext(ctx, `SELECT device FROM head WHERE whole`)
	if err != nil {
		return nil, fmt.Errorf("read the chains of vessel tracks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var dev string
		if err := rows.Scan(&dev); err != nil {
			return nil, fmt.Errorf("read the chains of vessel tracks: %w", err)
		}
		whole[dev] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the chains of vessel tracks: %w", err)
	}
	err = j.marks.load(ctx, func(dev string, _ identity) {
		if !whole[dev] && j.chain.has(dev) {
			whole[dev] = true // of each kind there is a mark
			devs = append(devs, dev)
		}
	})
	return devs, err
}

func (j *Journal) sealSome(ctx context.Context, start time.Time, dev string) (more bool, err error) {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	s, err := j.shelf(ctx, start, false)
	if err != nil || s == nil {
		return false, err
	}
	key := s.devices.key(dev)
	if key == 0 {
		return false, nil
	}
	w, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer w.rollback()
	w.chain = j.chain
	rows, err := w.tx.QueryContext(ctx, `SELECT id, kind, first, last, n, body FROM run WHERE device=? AND id NOT IN (SELECT run FROM link WHERE device=?) ORDER BY id LIMIT ?`, key, key, sealAtOnce)
	if err != nil {
		return false, err
	}
	type found struct {
		run
		kind uint8
	}
	var rs []found
	for rows.Next() {
		var r found
		if err = rows.Scan(&r.id, &r.kind, &r.first, &r.last, &r.n, &r.body); err != nil {
			break
		}
		rs = append(rs, r)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	if err != nil || len(rs) == 0 {
		return false, err
	}
	for _, r := range rs {
		metrics, err := metricsOf(r.kind, r.body, s.metrics.name)
		if err != nil {
			return false, fmt.Errorf("run %d of %s in %s: %w", r.id, dev, s.path, err)
		}
		if err := w.link(ctx, r.id, int64(key), dev, dayOf(r.first), content(dev, r.kind, r.first, r.last, r.n, r.body, metrics)); err != nil {
			return false, err
		}
	}
	return len(rs) == sealAtOnce, w.commitChained(ctx)
}

// Chained says whether a device's runs are chained.
func (j *Journal) Chained(dev devices.ID) bool { return j.chain.has(string(dev)) }
