package statedb

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestOpenTakesAnyPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("a folder", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"state.db", "a folder/state of ô.db", "./a folder/../up.db",
		filepath.Join(dir, "trạng thái.db"), filepath.Join(dir, "100%20?a=b#c&d.db"),
	} {
		t.Run(path, func(t *testing.T) {
			db, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := os.Stat(path); err != nil {
				t.Errorf("the file is elsewhere: %v", err)
			}
			for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "30000"} {
				var got string
				if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s = %q, want %q (%v)", pragma, got, want, err)
				}
			}
		})
	}
}

// Rooms change apart: each has its own version table, and running the
// migrations of one again changes nothing.
func TestMigrateKeepsRoomsApart(t *testing.T) {
	ctx := context.Background()
	db, err := Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	file := func(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)} }
	one := fstest.MapFS{"00001_a.sql": file("CREATE TABLE a(x);")}
	other := fstest.MapFS{"00001_b.sql": file("CREATE TABLE b(x);"), "00002_b.sql": file("INSERT INTO b VALUES(1);")}
	for range 2 {
		if err := Migrate(ctx, db, one, "one_version"); err != nil {
			t.Fatal(err)
		}
		if err := Migrate(ctx, db, other, "other_version"); err != nil {
			t.Fatal(err)
		}
	}
	one["00002_a.sql"] = file("INSERT INTO a VALUES(1);")
	if err := Migrate(ctx, db, one, "one_version"); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"a", "b"} {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil || n != 1 {
			t.Errorf("%s has %d rows, want 1 (%v)", table, n, err)
		}
	}
	bad := fstest.MapFS{"00001_c.sql": file("CREATE TABLE a(x);")}
	if err := Migrate(ctx, db, bad, "bad_version"); err == nil {
		t.Error("a migration that cannot run passed")
	}
}
