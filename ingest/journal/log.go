package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"haidang/devices"
	"haidang/ingest"
)

// log is what came, in its order: log.db has a row for each commit. It is
// written by one goroutine at a time.
type log struct {
	write   *sql.DB // one connection
	read    *sql.DB
	insert  *sql.Stmt
	devices *dictionary
	metrics *dictionary
}

var logSchema = `
CREATE TABLE IF NOT EXISTS batch(first INTEGER PRIMARY KEY, n INTEGER NOT NULL, body BLOB NOT NULL); -- positions first to first+n-1
CREATE TABLE IF NOT EXISTS place(one INTEGER PRIMARY KEY CHECK(one=1), settled INTEGER NOT NULL, head INTEGER NOT NULL);
INSERT OR IGNORE INTO place VALUES(1,0,0);
` + dictionarySchema("device", "id") + dictionarySchema("metric", "name")

func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)")}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func openLog(ctx context.Context, dir string) (l *log, err error) {
	path := filepath.Join(dir, "log.db")
	l = &log{}
	defer func() {
		if err != nil {
			l.close()
			err = fmt.Errorf("open journal's log %s: %w", path, err)
		}
	}()
	// FULL: a commit returns only when it is synced. SQLite's own log is folded
	// back every 16 MiB rather than 4: fewer syncs of the main file.
	if l.write, err = sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(4000)")); err != nil {
		return l, err
	}
	l.write.SetMaxOpenConns(1)
	if _, err = l.write.ExecContext(ctx, logSchema); err != nil {
		return l, err
	}
	if l.insert, err = l.write.PrepareContext(ctx, `INSERT INTO batch VALUES(?,?,?)`); err != nil {
		return l, err
	}
	if l.read, err = sql.Open("sqlite", dsn(path, "query_only(1)")); err != nil {
		return l, err
	}
	l.read.SetMaxOpenConns(4)
	if l.devices, err = loadDictionary(ctx, l.write, "device", "id"); err != nil {
		return l, err
	}
	l.metrics, err = loadDictionary(ctx, l.write, "metric", "name")
	return l, err
}

func (l *log) close() {
	if l.insert != nil {
		l.insert.Close()
	}
	if l.write != nil {
		l.write.Close()
	}
	if l.read != nil {
		l.read.Close()
	}
}

// places reads up to which position the shelves have everything, and the
// newest position ever given out: the log may be empty after a cut.
func (l *log) places(ctx context.Context) (settled, head ingest.Pos, err error) {
	err = l.write.QueryRowContext(ctx, `SELECT settled, max(head, coalesce((SELECT first+n-1 FROM batch ORDER BY first DESC LIMIT 1),0)) FROM place`).Scan(&settled, &head)
	return settled, head, err
}

// packed is one entry as the log has it.
type packed struct {
	device uint64 // its key
	id     identity
	body   []byte
}

// append commits the entries at idx, in one row, synced, as positions from
// first on, and returns them packed.
func (l *log) append(ctx context.Context, first ingest.Pos, entries []ingest.Entry, idx []int, ids []identity) (ps []packed, err error) {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			tx.Rollback()
			l.devices.rollback()
			l.metrics.rollback()
		}
	}()
	metric := func(name string) (uint64, error) { return l.metrics.intern(ctx, tx, name) }
	body := make([]byte, 0, 96*len(idx))
	ps = make([]packed, len(idx))
	ends := make([]int, len(idx))
	for k, i := range idx {
		e := &entries[i]
		dev, err := l.devices.intern(ctx, tx, string(deviceOf(e)))
		if err != nil {
			return nil, err
		}
		ps[k] = packed{device: dev, id: ids[i]}
		if body, err = packEntry(body, e, dev, metric); err != nil {
			return nil, err
		}
		ends[k] = len(body)
	}
	// The lengths stand first, so that an entry is found without reading those
	// before it.
	row := make([]byte, 0, len(body)+2*len(idx)+8)
	from := 0
	for k := range ends {
		row = binary.AppendUvarint(row, uint64(ends[k]-from))
		ps[k].body = body[from:ends[k]:ends[k]]
		from = ends[k]
	}
	row = append(row, body...)
	if _, err = tx.StmtContext(ctx, l.insert).ExecContext(ctx, int64(first), len(idx), row); err != nil {
		return nil, err
	}
	if err = tx.Commit(); err != nil {
		return nil, err
	}
	l.devices.commit()
	l.metrics.commit()
	return ps, nil
}

// each calls fn for the packed entries after a position, up to and with until,
// in order, until it returns false.
func (l *log) each(ctx context.Context, after, until ingest.Pos, fn func(pos ingest.Pos, body []byte) (bool, error)) error {
	rows, err := l.read.QueryContext(ctx, `SELECT first, n, body FROM batch
		WHERE first >= coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) AND first <= ? ORDER BY first`, int64(after+1), int64(until))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var first ingest.Pos
		var n int
		var row sql.RawBytes
		if err := rows.Scan(&first, &n, &row); err != nil {
			return err
		}
		r := reader{b: row}
		lengths := make([]int, n)
		for i := range lengths {
			lengths[i] = r.count()
		}
		for i, length := range lengths {
			body := r.bytes(length)
			if r.err != nil {
				return fmt.Errorf("log at %d: %w", first, r.err)
			}
			pos := first + ingest.Pos(i)
			if pos <= after {
				continue
			}
			if pos > until {
				return nil
			}
			if more, err := fn(pos, body); err != nil || !more {
				return err
			}
		}
	}
	return rows.Err()
}

// unpack turns a packed entry back into what was appended.
func (l *log) unpack(pos ingest.Pos, body []byte) (ingest.Entry, error) {
	e, err := unpackEntry(body, l.devices.name, l.metrics.name)
	if err != nil {
		return e, fmt.Errorf("entry %d: %w", pos, err)
	}
	e.Pos = pos
	return e, nil
}

// learn gives devices that are on shelves a key here.
func (l *log) learn(ctx context.Context, names map[markKey]int64) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	defer l.devices.rollback()
	for k := range names {
		if _, err := l.devices.intern(ctx, tx, k.device); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	l.devices.commit()
	return nil
}

// oldest is the first position that the log has; 0 when it is empty.
func (l *log) oldest(ctx context.Context) (p ingest.Pos, err error) {
	err = l.read.QueryRowContext(ctx, `SELECT coalesce(min(first),0) FROM batch`).Scan(&p)
	return p, err
}

// cutRows bounds what one cut deletes: appending waits for it.
const cutRows = 200

// cut notes what is settled and drops rows that end at or before a position.
// more says that there are others.
func (l *log) cut(ctx context.Context, settled, head, upTo ingest.Pos) (more bool, err error) {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `UPDATE place SET settled=?, head=?`, int64(settled), int64(head)); err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `DELETE FROM batch WHERE first IN (SELECT first FROM batch WHERE first+n-1 <= ? ORDER BY first LIMIT ?)`, int64(min(upTo, settled)), cutRows)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return false, err
	}
	return n == cutRows, tx.Commit()
}

func deviceOf(e *ingest.Entry) devices.ID {
	if e.Event != nil {
		return e.Event.Device
	}
	return e.Reading.Device
}
