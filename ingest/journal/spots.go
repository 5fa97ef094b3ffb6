package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"haidang/devices"
)

// spots remembers what shelves hold where entries were looked for, run by run:
// late entries come many at a time, and a run is dear to read.
type spots struct {
	by    map[spotKey][]spot
	count int // identities and spots
}

type spotKey struct {
	device devices.ID
	kind   uint8
	day    int64
}

// spot is a run: when it begins and ends, and once it was read what it holds.
type spot struct {
	run         int64
	first, last int64
	holds       []identity // in order
}

// maxSpots bounds what is remembered: some 40 MB.
const maxSpots = 1 << 19

func newSpots() spots { return spots{by: map[spotKey][]spot{}} }

func (s *spots) clear() {
	clear(s.by)
	s.count = 0
}

// add makes room for n more.
func (s *spots) add(n int) {
	if s.count += n; s.count > maxSpots {
		s.clear()
		s.count = n
	}
}

// onShelf says whether a shelf has an entry. The caller appends.
func (j *Journal) onShelf(ctx context.Context, dev devices.ID, id identity) (bool, error) {
	s, err := j.shelf(ctx, periodStart(milli(id.ts)), false)
	if err != nil || s == nil {
		return false, err
	}
	k := spotKey{dev, id.kind, dayOf(id.ts)}
	for {
		found, err := j.lookUp(ctx, s, k, id)
		if !errors.Is(err, sql.ErrNoRows) {
			return found, err
		}
		j.spots.clear() // the run was joined with others since
	}
}

func (j *Journal) lookUp(ctx context.Context, s *shelf, k spotKey, id identity) (bool, error) {
	day, ok := j.spots.by[k]
	if !ok {
		var err error
		if day, err = s.spots(ctx, k); err != nil {
			return false, err
		}
		j.spots.add(len(day) + 1)
		j.spots.by[k] = day
	}
	for i := range day {
		p := &day[i]
		if p.first > id.ts {
			break // they are in order
		}
		if p.last < id.ts {
			continue
		}
		if p.holds == nil {
			holds, err := s.identities(ctx, k, p)
			if err != nil {
				return false, err
			}
			j.spots.add(len(holds)) // may forget this day; then p is ours alone
			p.holds = holds
		}
		if _, found := slices.BinarySearchFunc(p.holds, id, identity.compare); found {
			return true, nil
		}
	}
	return false, nil
}

// spots are the runs of a device's day by their beginning, unread.
func (s *shelf) spots(ctx context.Context, k spotKey) (ps []spot, err error) {
	key := s.devices.key(string(k.device))
	if key == 0 {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, first, last FROM run WHERE device=? AND kind=? AND first>=? AND first<? ORDER BY first`, key, k.kind, k.day*day, (k.day+1)*day)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var p spot
		if err := rows.Scan(&p.run, &p.first, &p.last); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.path, err)
		}
		ps = append(ps, p)
	}
	return ps, rows.Err()
}

// identities reads what a run holds, in order; sql.ErrNoRows when it is gone:
// joined with others, maybe with another in its row.
func (s *shelf) identities(ctx context.Context, k spotKey, p *spot) ([]identity, error) {
	r := run{id: p.run}
	if err := s.db.QueryRowContext(ctx, `SELECT body FROM run WHERE id=? AND device=? AND kind=? AND first=? AND last=?`,
		p.run, s.devices.key(string(k.device)), k.kind, p.first, p.last).Scan(&r.body); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	es, err := s.decode(k.device, &r)
	if err != nil {
		return nil, err
	}
	ids := make([]identity, len(es))
	for i := range es {
		ids[i] = identify(&es[i])
	}
	slices.SortFunc(ids, identity.compare)
	return ids, nil
}
