package journal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"haidang/ingest"
)

// When the log is put in order: after this many entries, or this long.
const (
	settleAt    = 50_000
	settleAfter = 10 * time.Minute
)

// Settle puts what is fresh on its shelves.
func (j *Journal) Settle(ctx context.Context) error {
	j.settleMu.Lock()
	defer j.settleMu.Unlock()
	head := j.Head()
	if j.settledTo() == head {
		return nil
	}
	began := time.Now()
	newest := map[markKey]int64{}
	var touched []shelfPart
	for key, items := range j.fresh.upTo(head) {
		name, ok := j.log.devices.name(key)
		if !ok {
			return fmt.Errorf("settle: %w: a device has no name", errPacked)
		}
		items = slices.Clone(items)
		slices.SortFunc(items, func(a, b freshItem) int { return a.id.compare(b.id) })
		for _, kind := range [...]uint8{kindReading, kindEvent} {
			for part := range parts(items, kind) {
				k := markKey{name, kind}
				newest[k] = max(newest[k], part[len(part)-1].id.ts)
				touched = append(touched, shelfPart{periodStart(milli(part[0].id.ts)).Unix(), part})
			}
		}
	}
	slices.SortStableFunc(touched, func(a, b shelfPart) int { return int(a.shelf - b.shelf) })
	for len(touched) > 0 {
		n := 1
		for n < len(touched) && touched[n].shelf == touched[0].shelf {
			n++
		}
		if err := j.shelve(ctx, touched[:n]); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		touched = touched[n:]
	}
	if err := j.marks.move(ctx, newest); err != nil {
		return err
	}
	return j.settleTo(ctx, head, began)
}

// shelfPart is a device's entries of one kind and day.
type shelfPart struct {
	shelf int64
	items []freshItem
}

// parts cuts a device's items, which are in order, into those of one kind and
// day.
func parts(items []freshItem, kind uint8) func(func([]freshItem) bool) {
	return func(yield func([]freshItem) bool) {
		var part []freshItem
		for _, it := range items {
			if it.id.kind != kind {
				continue
			}
			if len(part) > 0 && dayOf(part[0].id.ts) != dayOf(it.id.ts) {
				if !yield(part) {
					return
				}
				part = nil
			}
			part = append(part, it)
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

// shelve writes parts of one shelf in one transaction.
func (j *Journal) shelve(ctx context.Context, ps []shelfPart) error {
	s, err := j.shelf(ctx, time.Unix(ps[0].shelf, 0).UTC(), true)
	if err != nil {
		return err
	}
	w, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer w.rollback()
	w.chain = j.chain
	delete(j.rested, s.start.Unix())
	var es []ingest.Entry
	for _, p := range ps {
		es = es[:0]
		for _, it := range p.items {
			e, err := j.log.unpack(it.pos, it.body)
			if err != nil {
				return err
			}
			es = append(es, e)
		}
		if err := w.put(ctx, es); err != nil {
			return err
		}
	}
	return w.commitChained(ctx)
}

func (j *Journal) settledTo() ingest.Pos {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.settled
}

// settleTo notes that the shelves have everything up to a position. What is
// fresh is forgotten after that: a reader looks there first.
func (j *Journal) settleTo(ctx context.Context, pos ingest.Pos, began time.Time) error {
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	if _, err := j.log.cut(ctx, pos, j.next, 0); err != nil {
		return fmt.Errorf("note what is settled: %w", err)
	}
	j.mu.Lock()
	j.settled = pos
	j.mu.Unlock()
	j.fresh.forget(pos, began)
	j.spots.clear()
	return nil
}
