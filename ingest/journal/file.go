package journal

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"haidang/ingest"
)

// period is the span of fix times that one file holds.
const period = 7 * 24 * time.Hour

// The kinds of entry, as stored.
const (
	kindReading = 1
	kindEvent   = 2
)

const schema = `
CREATE TABLE IF NOT EXISTS device(key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS metric(key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS entry(
	pos INTEGER PRIMARY KEY, device INTEGER NOT NULL, kind INTEGER NOT NULL,
	ts INTEGER NOT NULL,   -- fix time, ms since 1970 UTC
	seq INTEGER NOT NULL,  -- the device's number; negative: a hash of the content, when it gave none
	recv INTEGER NOT NULL, -- received, ms since 1970 UTC
	flags INTEGER NOT NULL,-- bit 0: time assumed; bits 1-2: lateness; bit 3: has position
	lat REAL, lon REAL,
	body BLOB NOT NULL     -- readings: packed values; events: JSON
);
CREATE UNIQUE INDEX IF NOT EXISTS entry_identity ON entry(device, kind, ts, seq);
`

// file is one period's SQLite database. Its single write connection is used
// only by the journal's committer; reads have a pool of their own.
type file struct {
	path  string
	start time.Time
	write *sql.Conn
	rw    *sql.DB
	read  *sql.DB

	insert *sql.Stmt

	mu      sync.RWMutex // guards the two dictionaries below
	devices dictionary
	metrics dictionary

	minPos, maxPos ingest.Pos // maintained by the journal under its lock
}

func periodStart(t time.Time) time.Time { return t.UTC().Truncate(period) }

func fileName(start time.Time) string { return start.Format("2006-01-02") + ".db" }

func openFile(ctx context.Context, dir string, start time.Time) (*file, error) {
	f := &file{path: filepath.Join(dir, fileName(start)), start: start}
	if err := f.open(ctx); err != nil {
		f.close()
		return nil, fmt.Errorf("open journal file %s: %w", f.path, err)
	}
	return f, nil
}

func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func (f *file) open(ctx context.Context) (err error) {
	// FULL: a commit returns only when the log is synced. The log is folded
	// back every 16 MiB rather than 4: fewer syncs of the main file.
	if f.rw, err = sql.Open("sqlite", dsn(f.path, "journal_mode(WAL)", "synchronous(FULL)",
		"busy_timeout(10000)", "wal_autocheckpoint(4000)", "cache_size(-32768)")); err != nil {
		return err
	}
	f.rw.SetMaxOpenConns(1)
	if f.write, err = f.rw.Conn(ctx); err != nil {
		return err
	}
	if _, err = f.write.ExecContext(ctx, schema); err != nil {
		return err
	}
	if f.insert, err = f.write.PrepareContext(ctx, `INSERT INTO entry(pos,device,kind,ts,seq,recv,flags,lat,lon,body)
		VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	if f.read, err = sql.Open("sqlite", dsn(f.path, "query_only(1)", "busy_timeout(10000)")); err != nil {
		return err
	}
	f.read.SetMaxOpenConns(3)
	f.read.SetConnMaxIdleTime(time.Minute)
	if f.devices, err = loadDictionary(ctx, f.write, "device", "id"); err != nil {
		return err
	}
	if f.metrics, err = loadDictionary(ctx, f.write, "metric", "name"); err != nil {
		return err
	}
	return f.write.QueryRowContext(ctx, `SELECT coalesce((SELECT min(pos) FROM entry),0), coalesce((SELECT max(pos) FROM entry),0)`).
		Scan(&f.minPos, &f.maxPos)
}

func (f *file) close() {
	if f.insert != nil {
		f.insert.Close()
	}
	if f.write != nil {
		f.write.Close()
	}
	if f.rw != nil {
		f.rw.Close()
	}
	if f.read != nil {
		f.read.Close()
	}
}

// remove deletes the file and SQLite's companions of it.
func (f *file) remove() error {
	f.close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(f.path + suffix); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// listFiles finds the periods that have a file in dir.
func listFiles(dir string) ([]time.Time, error) {
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
