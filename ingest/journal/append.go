package journal

import (
	"context"
	"database/sql"
	"fmt"

	"haidang/ingest"
)

// Append stores entries and gives each stored one its position. It returns,
// for each entry, whether it was stored (false: a duplicate of one already
// kept). On an error nothing may be acknowledged: what was committed before it
// will be recognised as a duplicate when it is sent again. One goroutine at a
// time may append.
func (j *Journal) Append(ctx context.Context, entries []ingest.Entry) (stored []bool, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	j.appendMu.Lock()
	defer j.appendMu.Unlock()

	stored = make([]bool, len(entries))
	groups := map[int64][]int{}
	for i := range entries {
		s := periodStart(fixTime(&entries[i])).Unix()
		groups[s] = append(groups[s], i)
	}
	next := j.next
	for i := range entries {
		next++
		entries[i].Pos = next
	}
	j.next = next // positions of a failed batch are never used again
	for s, idx := range groups {
		f, err := j.fileFor(ctx, s)
		if err != nil {
			return nil, err
		}
		if err := f.store(ctx, entries, idx, stored); err != nil {
			return nil, fmt.Errorf("store %d entries in %s: %w", len(idx), f.path, err)
		}
		j.extend(f, entries[idx[0]].Pos, entries[idx[len(idx)-1]].Pos)
	}
	j.show(entries, stored)
	return stored, nil
}

// store writes the entries at idx in one synced transaction.
func (f *file) store(ctx context.Context, entries []ingest.Entry, idx []int, stored []bool) (err error) {
	tx, err := f.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var newDevices, newMetrics []string
	defer func() {
		if err == nil {
			return
		}
		tx.Rollback()
		f.mu.Lock()
		for _, n := range newDevices {
			f.devices.drop(n)
		}
		for _, n := range newMetrics {
			f.metrics.drop(n)
		}
		f.mu.Unlock()
	}()
	// The dictionaries are read without the lock here: only this goroutine
	// changes them.
	key := func(d *dictionary, name string, added *[]string) (int64, error) {
		if k, ok := d.keys[name]; ok {
			return k, nil
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		k, err := d.add(ctx, tx, name)
		if err == nil {
			*added = append(*added, name)
		}
		return k, err
	}
	insert := tx.StmtContext(ctx, f.insert)
	body := make([]byte, 0, 256)
	for _, i := range idx {
		r := newRow(&entries[i])
		dev, err := key(&f.devices, r.device, &newDevices)
		if err != nil {
			return err
		}
		body = body[:0]
		if e := entries[i].Event; e != nil {
			if body, err = packEvent(e); err != nil {
				return err
			}
		} else {
			for _, v := range entries[i].Reading.Values {
				k, err := key(&f.metrics, v.Metric, &newMetrics)
				if err != nil {
					return err
				}
				body = packValue(body, uint64(k), v)
			}
		}
		if r.seq == ingest.NoSeq {
			r.seq = contentSeq(body, r.lat, r.lon)
		}
		res, err := insert.ExecContext(ctx, int64(entries[i].Pos), dev, r.kind, r.ts, r.seq, r.recv, r.flags, r.lat, r.lon, body)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		stored[i] = n == 1
	}
	return tx.Commit()
}

// contentSeq stands in for a missing sequence number: a message sent twice has
// the same content and counts once, two different messages of one instant are
// both kept. FNV-1a keeps it stable between runs; the sign marks it.
func contentSeq(body []byte, lat, lon sql.NullFloat64) int64 {
	h := uint64(14695981039346656037)
	mix := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for _, b := range body {
		mix(b)
	}
	for _, p := range [...]sql.NullFloat64{lat, lon} {
		for x, n := int64(p.Float64*1e7), 0; n < 8; n++ {
			mix(byte(x >> (8 * n)))
		}
	}
	return -int64(h>>2) - 2
}
