package audit

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"haidang/devices/personal"
)

// AppendAll appends entries in order in the transaction that makes the changes,
// as Append does one by one, at a fraction of the cost: what an import changed
// is a hundred thousand of them.
func (l *Log) AppendAll(ctx context.Context, tx *sql.Tx, es iter.Seq[Entry]) error {
	seq, prev, err := head(tx.QueryRowContext(ctx, headQuery))
	if err != nil {
		return fmt.Errorf("record changes: %w", err)
	}
	st, err := tx.PrepareContext(ctx, insertEntry)
	if err != nil {
		return fmt.Errorf("record changes: %w", err)
	}
	defer st.Close()
	now := time.Now().UTC().Truncate(time.Millisecond)
	for e := range es {
		e.by(ctx)
		e.Why = personal.Text(e.Why)
		seq++
		e.Seq, e.At = seq, now
		e.Hash = e.sum(prev)
		prev = e.Hash
		if _, err := st.ExecContext(ctx, e.columns()...); err != nil {
			return fmt.Errorf("record %s: %w", e.Action, err)
		}
	}
	return nil
}
