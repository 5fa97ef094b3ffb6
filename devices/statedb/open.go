// Package statedb opens the one SQLite file that holds state (devices,
// reports, alerts, work orders) and brings it up to date. Stores are given the
// *sql.DB; they never open files themselves.
package statedb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Open opens or creates the SQLite file at path: write-ahead log, every commit
// synced, foreign keys on. One connection writes at a time; others wait at most
// half a minute: an import of 100,000 devices, which is one transaction, takes
// some seconds.
func Open(path string) (*sql.DB, error) {
	// In "file://state.db" SQLite takes "state.db" for a host.
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open state database %s: %w", path, err)
	}
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(30000)",
	}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open state database: %w", err)
	}
	db.SetMaxOpenConns(8)
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, fmt.Errorf("open state database %s: %w", path, err)
	}
	return db, nil
}

// OpenToRead opens the file at path, which exists, for reading alone: nothing in
// it can be changed, not even its version. Another program may have it open.
func OpenToRead(path string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open state database %s: %w", path, err)
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(30000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open state database: %w", err)
	}
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, fmt.Errorf("open state database %s: %w", path, err)
	}
	return db, nil
}

// Change runs fn in a transaction, which holds the write lock from its beginning,
// and keeps what it did unless it fails.
func Change(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("change the state database: %w", err)
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("change the state database: %w", err)
	}
	return nil
}

// Migrate runs the migrations in files (*.sql, goose's form) that have not run
// yet. Each room keeps its own version table so that rooms change apart.
func Migrate(ctx context.Context, db *sql.DB, files fs.FS, versionTable string) error {
	store, err := newVersionStore(versionTable)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider("", db, files, goose.WithStore(store))
	if err != nil {
		return fmt.Errorf("read migrations of %s: %w", versionTable, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", versionTable, err)
	}
	return nil
}
