package audit

import (
	"bytes"
	"context"
	"fmt"
)

// Broken is where the chain does not hold.
type Broken struct {
	// Seq is the entry that is missing, or that is not what was written.
	Seq     int64
	Missing bool
}

func (b *Broken) Error() string {
	if b.Missing {
		return fmt.Sprintf("audit entry %d is missing", b.Seq)
	}
	return fmt.Sprintf("audit entry %d was changed after it was written, or the one before it was", b.Seq)
}

// Verify walks the whole chain and returns how many entries hold. headSeq and
// headHash are a head noted earlier (Log.Head): it must still be there; 0 and
// nil when none was. The error is a *Broken when the chain does not hold.
func (l *Log) Verify(ctx context.Context, headSeq int64, headHash []byte) (n int64, err error) {
	rows, err := l.db.QueryContext(ctx, selectEntries+` ORDER BY seq`)
	if err != nil {
		return 0, fmt.Errorf("verify audit log: %w", err)
	}
	defer rows.Close()
	prev := make([]byte, 32)
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return n, fmt.Errorf("verify audit log: %w", err)
		}
		if e.Seq != n+1 {
			return n, &Broken{Seq: n + 1, Missing: true}
		}
		if !bytes.Equal(e.sum(prev), e.Hash) || e.Seq == headSeq && !bytes.Equal(e.Hash, headHash) {
			return n, &Broken{Seq: e.Seq}
		}
		prev, n = e.Hash, e.Seq
	}
	if err := rows.Err(); err != nil {
		return n, fmt.Errorf("verify audit log: %w", err)
	}
	if n < headSeq {
		return n, &Broken{Seq: n + 1, Missing: true}
	}
	return n, nil
}
