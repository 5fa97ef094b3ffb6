package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// period is the span of fix times that one shelf holds.
const period = 7 * 24 * time.Hour

// day is the span of one run at most, in ms.
const day = 24 * 3600 * 1000

// shelf is one period's SQLite database of runs. It is written by one goroutine
// at a time.
type shelf struct {
	path    string
	start   time.Time
	db      *sql.DB
	devices *dictionary
	metrics *dictionary
}

var shelfSchema = `
CREATE TABLE IF NOT EXISTS run(id INTEGER PRIMARY KEY, device INTEGER NOT NULL,
	kind INTEGER NOT NULL,  -- 1 readings, 2 events
	first INTEGER NOT NULL, -- fix times of the first and last entry, ms since 1970 UTC, of one day
	last INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS run_time ON run(device, kind, first, last);
` + linkSchema + maskSchema + dictionarySchema("device", "id") + dictionarySchema("metric", "name")

func periodStart(t time.Time) time.Time { return t.UTC().Truncate(period) }

func dayOf(ms int64) int64 {
	d := ms / day
	if ms%day < 0 {
		d--
	}
	return d
}

func openShelf(ctx context.Context, dir string, start time.Time) (*shelf, error) {
	s := &shelf{path: filepath.Join(dir, start.Format("2006-01-02")+".db"), start: start}
	if err := s.open(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("open journal file %s: %w", s.path, err)
	}
	return s, nil
}

func (s *shelf) open(ctx context.Context) (err error) {
	// The cache is small, for there may be many shelves; what is read is large.
	if s.db, err = sql.Open("sqlite", dsn(s.path, "synchronous(FULL)", "cache_size(-1024)")); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(4)
	s.db.SetConnMaxIdleTime(time.Minute)
	// The file's own settings are made once: on every connection, that of
	// auto_vacuum would wait for whoever writes.
	var pages int
	if err = s.db.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		return err
	}
	if pages == 0 {
		if err = s.prepare(ctx); err != nil {
			return err
		}
	}
	if _, err = s.db.ExecContext(ctx, shelfSchema); err != nil {
		return err
	}
	if s.devices, err = loadDictionary(ctx, s.db, "device", "id"); err != nil {
		return err
	}
	s.metrics, err = loadDictionary(ctx, s.db, "metric", "name")
	return err
}

// prepare sets up a new file.
func (s *shelf) prepare(ctx context.Context) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, q := range []string{`PRAGMA auto_vacuum=INCREMENTAL`, `PRAGMA journal_mode=WAL`} {
		if _, err := c.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) close() {
	if s.db != nil {
		s.db.Close()
	}
}

// remove deletes the file and SQLite's companions of it.
func (s *shelf) remove() error {
	s.close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(s.path + suffix); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// listShelves finds the periods that have a file in dir.
func listShelves(dir string) ([]time.Time, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		return nil, err
	}
	var starts []time.Time
	for _, n := range names {
		if t, err := time.Parse("2006-01-02", strings.TrimSuffix(filepath.Base(n), ".db")); err == nil {
			starts = append(starts, t)
		}
	}
	return starts, nil
}

// run is a stored run.
type run struct {
	id          int64
	first, last int64
	n           int
	body        []byte
}

// runs returns a device's runs that touch from ≤ ts < to, by their beginning.
func (s *shelf) runs(ctx context.Context, dev devices.ID, kind uint8, from, to int64) (rs []run, err error) {
	key := s.devices.key(string(dev))
	if key == 0 {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, first, last, n, body FROM run
		WHERE device=? AND kind=? AND first>=? AND first<? AND last>=? ORDER BY first`, key, kind, dayOf(from)*day, to, from)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r run
		if err := rows.Scan(&r.id, &r.first, &r.last, &r.n, &r.body); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.path, err)
		}
		rs = append(rs, r)
	}
	return rs, rows.Err()
}

// decode reads a run's entries.
func (s *shelf) decode(dev devices.ID, r *run) ([]ingest.Entry, error) {
	es, err := decodeRun(dev, r.body, s.metrics.name)
	if err != nil {
		return nil, fmt.Errorf("run %d of %s in %s: %w", r.id, dev, s.path, err)
	}
	return es, nil
}

// shelving is a transaction that puts runs on a shelf.
type shelving struct {
	s     *shelf
	tx    *sql.Tx
	chain *chain          // may be nil: nothing is chained
	heads map[string]Link // of chained devices, once this is committed
}

func (s *shelf) begin(ctx context.Context) (*shelving, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", s.path, err)
	}
	return &shelving{s: s, tx: tx, heads: map[string]Link{}}, nil
}

// put stores entries of one device, kind and day, in order, as runs.
func (w *shelving) put(ctx context.Context, es []ingest.Entry) error {
	name := string(deviceOf(&es[0]))
	dev, err := w.s.devices.intern(ctx, w.tx, name)
	if err != nil {
		return err
	}
	for len(es) > 0 {
		part := es[:min(len(es), maxRun)]
		es = es[len(part):]
		var metrics []string
		body, err := encodeRun(part, func(metric string) (uint64, error) {
			metrics = append(metrics, metric)
			return w.s.metrics.intern(ctx, w.tx, metric)
		})
		if err != nil {
			return err
		}
		first, last := identify(&part[0]), identify(&part[len(part)-1])
		res, err := w.tx.ExecContext(ctx, `INSERT INTO run(device,kind,first,last,n,body) VALUES(?,?,?,?,?,?)`,
			int64(dev), first.kind, first.ts, last.ts, len(part), body)
		if err != nil {
			return fmt.Errorf("write %s: %w", w.s.path, err)
		}
		if w.chain == nil || !w.chain.has(name) {
			continue
		}
		id, err := res.LastInsertId()
		if err != nil {
			return fmt.Errorf("write %s: %w", w.s.path, err)
		}
		if err := w.link(ctx, id, int64(dev), name, dayOf(first.ts), content(name, first.kind, first.ts, last.ts, len(part), body, metrics)); err != nil {
			return err
		}
	}
	return nil
}

// link puts a run behind its device's last block.
func (w *shelving) link(ctx context.Context, run, dev int64, name string, day int64, content []byte) error {
	l, ok := w.heads[name]
	if !ok {
		l = w.chain.head(name)
	}
	l = l.next(content)
	if _, err := w.tx.ExecContext(ctx, `INSERT INTO link VALUES(?,?,?,?,?)`, run, dev, l.No, day, l.Hash); err != nil {
		return fmt.Errorf("write %s: %w", w.s.path, err)
	}
	w.heads[name] = l
	return nil
}

// drop removes a run.
func (w *shelving) drop(ctx context.Context, id int64) error {
	if _, err := w.tx.ExecContext(ctx, `DELETE FROM run WHERE id=?`, id); err != nil {
		return err
	}
	_, err := w.tx.ExecContext(ctx, `DELETE FROM masked WHERE run=?`, id) // its number may be given again
	return err
}

// commitChained commits, and moves the heads of the chains along.
func (w *shelving) commitChained(ctx context.Context) error {
	if err := w.chain.pend(ctx, w.s.start.Unix(), w.heads); err != nil {
		return err
	}
	if err := w.commit(); err != nil || len(w.heads) == 0 {
		return err
	}
	// Not to be broken off: the next block stands on this one.
	return w.chain.promote(context.WithoutCancel(ctx), w.heads)
}

func (w *shelving) commit() error {
	if err := w.tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", w.s.path, err), w.rollback())
	}
	w.s.devices.commit()
	w.s.metrics.commit()
	return nil
}

// rollback undoes what was not committed; after commit it does nothing.
func (w *shelving) rollback() error {
	err := w.tx.Rollback()
	w.s.devices.rollback()
	w.s.metrics.rollback()
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
