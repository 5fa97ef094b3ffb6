package audit

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"haidang/devices/personal"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Log is the audit log of a state database.
type Log struct{ db *sql.DB }

// Open brings the table up to date.
func Open(ctx context.Context, db *sql.DB) (*Log, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "audit_version"); err != nil {
		return nil, err
	}
	return &Log{db}, nil
}

// Record appends e by itself. Who acts is taken from ctx (As) where e does not
// say it.
func (l *Log) Record(ctx context.Context, e Entry) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	defer tx.Rollback()
	if err := l.Append(ctx, tx, e); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	return nil
}

// Append appends e in the transaction that makes the change, so that neither
// stands without the other. The transaction must hold the write lock, as those
// of statedb do from their beginning.
func (l *Log) Append(ctx context.Context, tx *sql.Tx, e Entry) error {
	seq, prev, err := head(tx.QueryRowContext(ctx, headQuery))
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	e.by(ctx)
	e.Why = personal.Text(e.Why)
	e.Seq, e.At = seq+1, time.Now().UTC().Truncate(time.Millisecond)
	e.Hash = e.sum(prev)
	_, err = tx.ExecContext(ctx, insertEntry, e.columns()...)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	return nil
}

const insertEntry = `INSERT OR ROLLBACK INTO audit(seq,at,who,role,address,action,kind,id,before,after,why,hash) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)`

func (e *Entry) columns() []any {
	return []any{e.Seq, e.At.UnixMilli(), e.Who, e.Role, e.Address, e.Action, e.Kind, e.ID, string(e.Before), string(e.After), e.Why, e.Hash}
}

const headQuery = `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`

func head(row *sql.Row) (seq int64, hash []byte, err error) {
	if err = row.Scan(&seq, &hash); errors.Is(err, sql.ErrNoRows) {
		return 0, make([]byte, 32), nil
	}
	return seq, hash, err
}

// Head is the number and the hash of the newest entry; 0 and 32 zero bytes of
// an empty log. Noted elsewhere, it later proves that the end is still there.
func (l *Log) Head(ctx context.Context) (seq int64, hash []byte, err error) {
	return head(l.db.QueryRowContext(ctx, headQuery))
}
