package journal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Shelved calls fn with everything that the shelves hold, run by run and not in
// order, from the given place on, and returns the position after which a reader
// follows the log; the log is kept from there meanwhile. It serves a reader
// that came too late for the log. What changes while it runs may come twice.
func (j *Journal) Shelved(ctx context.Context, from ingest.ShelfPlace, fn func(context.Context, ingest.ShelfPlace, []ingest.Entry) error) (ingest.Pos, error) {
	if from.Pos == 0 {
		from.Pos = j.settledTo()
	}
	p := &place{from.Pos}
	j.mu.Lock()
	j.places[p] = struct{}{}
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.places, p)
		j.mu.Unlock()
	}()
	starts, err := listShelves(j.dir)
	if err != nil {
		return 0, fmt.Errorf("list journal folder: %w", err)
	}
	for _, start := range sortTimes(starts) {
		if start.Before(from.Shelf) {
			continue
		}
		if start.After(from.Shelf) {
			from.Shelf, from.Run = start, 0
		}
		s, err := j.shelf(ctx, start, false)
		if err != nil {
			return 0, err
		}
		for s != nil {
			es, id, err := s.after(ctx, from.Run)
			if err != nil {
				return 0, err
			}
			if id == 0 {
				break
			}
			from.Run = id
			if err := fn(ctx, from, es); err != nil {
				return 0, err
			}
		}
	}
	return from.Pos, nil
}

// after reads the run that follows an id; 0 says that there is none. Joined runs
// get new ids, so that none is passed over.
func (s *shelf) after(ctx context.Context, id int64) ([]ingest.Entry, int64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, device, body FROM run WHERE id>? ORDER BY id LIMIT 1`, id)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, 0, rows.Err()
	}
	var r run
	var key uint64
	if err := rows.Scan(&r.id, &key, &r.body); err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	name, ok := s.devices.name(key)
	if !ok {
		return nil, 0, fmt.Errorf("%w: a device in %s has no name", errRun, s.path)
	}
	es, err := s.decode(devices.ID(name), &r)
	return es, r.id, err
}

// Newest calls fn with the last readings of each device that the shelves hold,
// at least one of each, and returns the position after which the log goes on.
func (j *Journal) Newest(ctx context.Context, fn func([]ingest.Entry)) (ingest.Pos, error) {
	oldest, err := j.log.oldest(ctx)
	if err != nil {
		return 0, err
	}
	after := j.settledTo()
	if oldest > 0 {
		after = min(after, oldest-1)
	}
	starts, err := listShelves(j.dir)
	if err != nil {
		return 0, fmt.Errorf("list journal folder: %w", err)
	}
	seen := map[devices.ID]struct{}{}
	for _, start := range slices.Backward(sortTimes(starts)) {
		if err := j.newestOf(ctx, start, seen, fn); err != nil {
			return 0, err
		}
	}
	return after, nil
}

func (j *Journal) newestOf(ctx context.Context, start time.Time, seen map[devices.ID]struct{}, fn func([]ingest.Entry)) error {
	s, err := j.shelf(ctx, start, false)
	if err != nil || s == nil {
		return err
	}
	ids, err := s.newestRuns(ctx, seen)
	if err != nil {
		return err
	}
	for _, id := range ids {
		es, _, err := s.after(ctx, id-1)
		if err != nil {
			return err
		}
		fn(es)
	}
	return nil
}

// newestRuns finds the last run of readings of each device that was not seen.
func (s *shelf) newestRuns(ctx context.Context, seen map[devices.ID]struct{}) (ids []int64, err error) {
	// With max() SQLite takes the other columns from the row that has it.
	rows, err := s.db.QueryContext(ctx, `SELECT device, id, max(last) FROM run WHERE kind=? GROUP BY device`, kindReading)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var key uint64
		var id, last int64
		if err := rows.Scan(&key, &id, &last); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.path, err)
		}
		name, _ := s.devices.name(key)
		if _, ok := seen[devices.ID(name)]; !ok {
			seen[devices.ID(name)] = struct{}{}
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}
