package journal

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"unique"
)

// dictionary maps names to small integers within one file, so that an entry
// does not repeat its device's id and its metrics' names. Names are added by
// one goroutine at a time, inside its transaction, and read by many.
type dictionary struct {
	table, column string
	mu            sync.RWMutex
	keys          map[string]int64
	names         []string // by key; 0 is no key
	added         []string // in the transaction that is open
}

// dictionarySchema is a dictionary's table.
func dictionarySchema(table, column string) string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s(key INTEGER PRIMARY KEY, %s TEXT NOT NULL UNIQUE);\n", table, column)
}

func loadDictionary(ctx context.Context, db *sql.DB, table, column string) (*dictionary, error) {
	d := &dictionary{table: table, column: column, keys: map[string]int64{}, names: []string{""}}
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT key, %s FROM %s ORDER BY key`, column, table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k int64
		var n string
		if err := rows.Scan(&k, &n); err != nil {
			return nil, err
		}
		if k != int64(len(d.names)) {
			return nil, fmt.Errorf("table %s has key %d where %d belongs", table, k, len(d.names))
		}
		d.put(unique.Make(n).Value())
	}
	return d, rows.Err()
}

func (d *dictionary) put(name string) int64 {
	k := int64(len(d.names))
	d.keys[name] = k
	d.names = append(d.names, name)
	return k
}

// key finds a name's key; 0 when it has none.
func (d *dictionary) key(name string) int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.keys[name]
}

// name finds a key's name.
func (d *dictionary) name(key uint64) (string, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if key == 0 || key >= uint64(len(d.names)) {
		return "", false
	}
	return d.names[key], true
}

// intern finds a name's key, and gives it one inside tx when it has none. The
// transaction's end must be told: commit or rollback.
func (d *dictionary) intern(ctx context.Context, tx *sql.Tx, name string) (uint64, error) {
	if k, ok := d.keys[name]; ok { // only this goroutine changes them
		return uint64(k), nil
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s(key,%s) VALUES(?,?)`, d.table, d.column), len(d.names), name); err != nil {
		return 0, fmt.Errorf("name %q: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.added = append(d.added, name)
	return uint64(d.put(name)), nil
}

func (d *dictionary) commit() { d.added = nil }

// rollback forgets what the failed transaction added.
func (d *dictionary) rollback() {
	if len(d.added) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.added {
		delete(d.keys, n)
	}
	d.names = d.names[:len(d.names)-len(d.added)]
	d.added = nil
}
