package rollup

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
	"haidang/ingest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// store is the file of roll-ups and marks.
type store struct {
	db      *sql.DB
	mu      sync.Mutex
	devices map[string]int64
	metrics map[string]int64
}

func openStore(ctx context.Context, path string) (*store, error) {
	db, err := statedb.Open(path)
	if err != nil {
		return nil, err
	}
	s := &store{db: db, devices: map[string]int64{}, metrics: map[string]int64{}}
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = statedb.Migrate(ctx, db, files, "rollup_version")
	}
	if err == nil {
		err = s.loadNames(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open roll-ups: %w", err)
	}
	return s, nil
}

func (s *store) loadNames(ctx context.Context) error {
	for q, into := range map[string]map[string]int64{`SELECT id, key FROM device`: s.devices, `SELECT name, key FROM metric`: s.metrics} {
		rows, err := s.db.QueryContext(ctx, q)
		if err != nil {
			return err
		}
		for rows.Next() {
			var name string
			var key int64
			if err := rows.Scan(&name, &key); err != nil {
				rows.Close()
				return err
			}
			into[name] = key
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// key finds a name's key; 0 when it has none.
func (s *store) key(names map[string]int64, name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return names[name]
}

// writing is a transaction that writes roll-ups. What it names anew is known
// only when it commits.
type writing struct {
	s       *store
	tx      *sql.Tx
	devices map[string]int64
	metrics map[string]int64
}

func (s *store) begin(ctx context.Context) (*writing, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("write roll-ups: %w", err)
	}
	return &writing{s, tx, map[string]int64{}, map[string]int64{}}, nil
}

func (w *writing) commit() error {
	if err := w.tx.Commit(); err != nil {
		return fmt.Errorf("write roll-ups: %w", err)
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for n, k := range w.devices {
		w.s.devices[n] = k
	}
	for n, k := range w.metrics {
		w.s.metrics[n] = k
	}
	return nil
}

func (w *writing) intern(ctx context.Context, insert string, known, added map[string]int64, name string) (int64, error) {
	if k := w.s.key(known, name); k != 0 {
		return k, nil
	}
	if k := added[name]; k != 0 {
		return k, nil
	}
	res, err := w.tx.ExecContext(ctx, insert, name)
	if err != nil {
		return 0, err
	}
	k, err := res.LastInsertId()
	added[name] = k
	return k, err
}

func (w *writing) device(ctx context.Context, id devices.ID) (int64, error) {
	return w.intern(ctx, `INSERT INTO device(id) VALUES(?)`, w.s.devices, w.devices, string(id))
}

func (w *writing) metric(ctx context.Context, name string) (int64, error) {
	return w.intern(ctx, `INSERT INTO metric(name) VALUES(?)`, w.s.metrics, w.metrics, name)
}

// put writes an hour in place of what is there; one without a good value is
// none. When keep is set, what is there stays: of what it was made of something
// may be gone.
func (w *writing) put(ctx context.Context, dev, metric, start int64, b *Bucket, keep bool) error {
	if b.Count == 0 && keep {
		return nil
	}
	if b.Count == 0 {
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM hour WHERE device=? AND metric=? AND start=?`, dev, metric, start); err != nil {
			return fmt.Errorf("remove roll-up: %w", err)
		}
		return nil
	}
	conflict := `UPDATE SET n=excluded.n, expected=excluded.expected, mean=excluded.mean, min=excluded.min, max=excluded.max, last=excluded.last`
	if keep {
		conflict = `NOTHING`
	}
	_, err := w.tx.ExecContext(ctx, `INSERT INTO hour VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO `+conflict,
		dev, metric, start, b.Count, b.Expected, b.Mean, b.Min, b.Max, b.Last)
	if err != nil {
		return fmt.Errorf("write roll-up: %w", err)
	}
	return nil
}

// hours reads a metric's hours with from ≤ start < to, in order.
func (s *store) hours(ctx context.Context, dev, metric, from, to int64) ([]Bucket, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT start, n, expected, mean, min, max, last FROM hour
		WHERE device=? AND metric=? AND start>=? AND start<? ORDER BY start`, dev, metric, from, to)
	if err != nil {
		return nil, fmt.Errorf("read roll-ups: %w", err)
	}
	defer rows.Close()
	var out []Bucket
	for rows.Next() {
		var b Bucket
		var start int64
		if err := rows.Scan(&start, &b.Count, &b.Expected, &b.Mean, &b.Min, &b.Max, &b.Last); err != nil {
			return nil, fmt.Errorf("read roll-ups: %w", err)
		}
		b.Start = hourStart(start)
		out = append(out, b)
	}
	return out, rows.Err()
}

// place is how far the journal was read; see ingest.ShelfPlace for the second.
func (s *store) place(ctx context.Context) (pos ingest.Pos, p ingest.ShelfPlace, err error) {
	var shelf int64
	if err := s.db.QueryRowContext(ctx, `SELECT pos, shelf_pos, shelf, run FROM place`).Scan(&pos, &p.Pos, &shelf, &p.Run); err != nil {
		return 0, p, fmt.Errorf("read roll-ups' place: %w", err)
	}
	if shelf != 0 || p.Pos != 0 {
		p.Shelf = time.Unix(shelf, 0).UTC()
	}
	return pos, p, nil
}

func (w *writing) setPlace(ctx context.Context, pos ingest.Pos, p ingest.ShelfPlace) error {
	shelf := int64(0)
	if !p.Shelf.IsZero() {
		shelf = p.Shelf.Unix()
	}
	_, err := w.tx.ExecContext(ctx, `UPDATE place SET pos=?, shelf_pos=?, shelf=?, run=?`, int64(pos), int64(p.Pos), shelf, p.Run)
	return err
}
