package influx

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"haidang/devices/statedb"
	"haidang/ingest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Cursor is the writer's durable place in the journal.
type Cursor struct{ db *sql.DB }

// NewCursor brings the table up to date.
func NewCursor(ctx context.Context, db *sql.DB) (*Cursor, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return &Cursor{db}, statedb.Migrate(ctx, db, files, "influx_version")
}

// Load returns the place; 0 before the first Save.
func (c *Cursor) Load(ctx context.Context) (p ingest.Pos, err error) {
	if err = c.db.QueryRowContext(ctx, `SELECT coalesce(max(pos),0) FROM influx_cursor`).Scan(&p); err != nil {
		return 0, fmt.Errorf("read InfluxDB writer's place: %w", err)
	}
	return p, nil
}

// Save notes that everything up to p is in InfluxDB.
func (c *Cursor) Save(ctx context.Context, p ingest.Pos) error {
	_, err := c.db.ExecContext(ctx, `INSERT INTO influx_cursor VALUES(1,?) ON CONFLICT(one) DO UPDATE SET pos=excluded.pos`, int64(p))
	if err != nil {
		return fmt.Errorf("save InfluxDB writer's place: %w", err)
	}
	return nil
}

// LoadShelf returns how far the journal's shelves were read; the zero place
// when they are not being read.
func (c *Cursor) LoadShelf(ctx context.Context) (p ingest.ShelfPlace, err error) {
	var shelf int64
	err = c.db.QueryRowContext(ctx, `SELECT pos, shelf, run FROM influx_shelf`).Scan(&p.Pos, &shelf, &p.Run)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read InfluxDB writer's place on the shelves: %w", err)
	}
	p.Shelf = time.Unix(shelf, 0).UTC()
	return p, nil
}

// SaveShelf notes how far the journal's shelves are in InfluxDB; the zero place
// says that they are done.
func (c *Cursor) SaveShelf(ctx context.Context, p ingest.ShelfPlace) (err error) {
	if p == (ingest.ShelfPlace{}) {
		_, err = c.db.ExecContext(ctx, `DELETE FROM influx_shelf`)
	} else {
		_, err = c.db.ExecContext(ctx, `INSERT INTO influx_shelf VALUES(1,?,?,?) ON CONFLICT(one) DO UPDATE SET pos=excluded.pos, shelf=excluded.shelf, run=excluded.run`,
			int64(p.Pos), p.Shelf.Unix(), p.Run)
	}
	if err != nil {
		return fmt.Errorf("save InfluxDB writer's place on the shelves: %w", err)
	}
	return nil
}
