package influx

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

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
