package rollup

import (
	"context"
	"fmt"
	"sync"
	"time"

	"haidang/devices"
)

// mark says that a device's hour was touched.
type mark struct {
	device devices.ID
	hour   int64
}

// touched is when: an hour rests before it is made, and is not put off forever.
type touched struct {
	first, last time.Time
	kept        bool // it is in the file
}

// marks are the hours to be made.
type marks struct {
	mu sync.Mutex
	by map[mark]touched
}

const (
	// closedAfter is how long after its end an hour may be made.
	closedAfter = 2 * time.Minute
	// restFor is how long an hour must be untouched, patience how long it waits
	// at most for that.
	restFor  = 20 * time.Second
	patience = 10 * time.Minute
)

func (m *marks) touch(k mark, now time.Time) {
	t, ok := m.by[k]
	if !ok {
		t.first = now
	}
	t.last = now
	m.by[k] = t
}

// due returns hours to be made now, at most limit, those of a device's day
// together.
func (m *marks) due(now time.Time, limit int) map[deviceDay]map[int64]touched {
	m.mu.Lock()
	defer m.mu.Unlock()
	groups := map[deviceDay]map[int64]touched{}
	n := 0
	for k, t := range m.by {
		if now.Before(hourStart(k.hour+1).Add(closedAfter)) || now.Sub(t.last) < restFor && now.Sub(t.first) < patience {
			continue
		}
		g := deviceDay{k.device, dayOfHour(k.hour)}
		if groups[g] == nil {
			if n >= limit {
				continue
			}
			groups[g] = map[int64]touched{}
		}
		groups[g][k.hour] = t
		n++
	}
	return groups
}

type deviceDay struct {
	device devices.ID
	day    int64
}

// done takes marks away whose hours were made. Those touched meanwhile stay;
// the file has them no longer.
func (m *marks) done(g deviceDay, hours map[int64]touched) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for h, t := range hours {
		k := mark{g.device, h}
		now, ok := m.by[k]
		if ok && now.last.Equal(t.last) {
			delete(m.by, k)
		} else if ok {
			now.kept = false
			m.by[k] = now
		}
	}
}

// of returns which hours of a device from ≤ h < to are to be made.
func (m *marks) of(id devices.ID, from, to int64) map[int64]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	hours := map[int64]bool{}
	if to-from > int64(len(m.by)) {
		for k := range m.by {
			if k.device == id && k.hour >= from && k.hour < to {
				hours[k.hour] = true
			}
		}
		return hours
	}
	for h := from; h < to; h++ {
		if _, ok := m.by[mark{id, h}]; ok {
			hours[h] = true
		}
	}
	return hours
}

func (m *marks) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.by)
}

// fresh returns the marks that are not in the file yet.
func (m *marks) fresh() []mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ks []mark
	for k, t := range m.by {
		if !t.kept {
			ks = append(ks, k)
		}
	}
	return ks
}

func (m *marks) kept(ks []mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range ks {
		if t, ok := m.by[k]; ok {
			t.kept = true
			m.by[k] = t
		}
	}
}

// loadMarks reads the marks of the file; they rest already.
func (s *store) loadMarks(ctx context.Context) (*marks, error) {
	m := &marks{by: map[mark]touched{}}
	rows, err := s.db.QueryContext(ctx, `SELECT device, hour FROM mark`)
	if err != nil {
		return nil, fmt.Errorf("read roll-ups' marks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k mark
		if err := rows.Scan(&k.device, &k.hour); err != nil {
			return nil, fmt.Errorf("read roll-ups' marks: %w", err)
		}
		m.by[k] = touched{kept: true}
	}
	return m, rows.Err()
}

func (w *writing) keepMarks(ctx context.Context, ks []mark) error {
	for _, k := range ks {
		if _, err := w.tx.ExecContext(ctx, `INSERT OR IGNORE INTO mark VALUES(?,?)`, string(k.device), k.hour); err != nil {
			return fmt.Errorf("keep roll-ups' marks: %w", err)
		}
	}
	return nil
}

func (w *writing) dropMark(ctx context.Context, id devices.ID, hour int64) error {
	_, err := w.tx.ExecContext(ctx, `DELETE FROM mark WHERE device=? AND hour=?`, string(id), hour)
	return err
}
