// Package statedbtest gives tests a real state database, a new one or one of an
// earlier version of the program.
package statedbtest

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"haidang/devices/statedb"
)

// Open is an empty state database that goes with the test.
func Open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := statedb.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Migrate runs only the named files of the tested package's folder "migrations",
// as an earlier version did.
func Migrate(t testing.TB, db *sql.DB, versionTable string, names ...string) {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join("migrations", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	if err := statedb.Migrate(t.Context(), db, files, versionTable); err != nil {
		t.Fatal(err)
	}
}
