package journal

import (
	"context"
	"database/sql"
	"fmt"
	"unique"
)

// dictionary maps names to small integers within one file, so that an entry
// does not repeat its device's id and its metrics' names.
type dictionary struct {
	table, column string
	keys          map[string]int64
	names         map[int64]string
}

func loadDictionary(ctx context.Context, c *sql.Conn, table, column string) (dictionary, error) {
	d := dictionary{table: table, column: column, keys: map[string]int64{}, names: map[int64]string{}}
	rows, err := c.QueryContext(ctx, fmt.Sprintf(`SELECT key, %s FROM %s`, column, table))
	if err != nil {
		return d, err
	}
	defer rows.Close()
	for rows.Next() {
		var k int64
		var n string
		if err := rows.Scan(&k, &n); err != nil {
			return d, err
		}
		d.put(k, unique.Make(n).Value())
	}
	return d, rows.Err()
}

func (d *dictionary) put(key int64, name string) {
	d.keys[name] = key
	d.names[key] = name
}

// add gives name a key inside the open transaction. The caller must forget it
// again (drop) when that transaction does not commit.
func (d *dictionary) add(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	key := int64(len(d.keys) + 1)
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s(key,%s) VALUES(?,?)`, d.table, d.column), key, name); err != nil {
		return 0, err
	}
	d.put(key, name)
	return key, nil
}

func (d *dictionary) drop(name string) {
	delete(d.names, d.keys[name])
	delete(d.keys, name)
}
