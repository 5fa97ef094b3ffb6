package audit

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Head is the number and the hash of the newest entry at a time, noted apart
// from the database: a log cut off behind it is found by that.
type Head struct {
	At   time.Time `json:"at"`
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"` // hex
}

// ReadHead reads the head that was noted in a file; one of nothing, with Seq 0,
// when there is no file.
func ReadHead(path string) (Head, error) {
	var h Head
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err != nil {
		return h, fmt.Errorf("read the noted head of the audit log: %w", err)
	}
	return h, nil
}

// NoteHead notes the newest entry in a file, unless the entry noted there before
// is gone or another: then it leaves the file as it is, a proof, and returns
// *Broken.
func (l *Log) NoteHead(ctx context.Context, path string) (Head, error) {
	old, err := ReadHead(path)
	if err != nil {
		return old, err
	}
	if old.Seq > 0 {
		var hash []byte
		err := l.db.QueryRowContext(ctx, `SELECT hash FROM audit WHERE seq = ?`, old.Seq).Scan(&hash)
		if errors.Is(err, sql.ErrNoRows) {
			return old, &Broken{Seq: old.Seq, Missing: true}
		}
		if err != nil {
			return old, fmt.Errorf("note head of the audit log: %w", err)
		}
		if hex.EncodeToString(hash) != old.Hash {
			return old, &Broken{Seq: old.Seq}
		}
	}
	h := Head{At: time.Now().UTC().Truncate(time.Millisecond)}
	var hash []byte
	if h.Seq, hash, err = l.Head(ctx); err != nil {
		return old, fmt.Errorf("note head of the audit log: %w", err)
	}
	h.Hash = hex.EncodeToString(hash)
	if h.Seq == old.Seq {
		return old, nil
	}
	b, _ := json.Marshal(h) // always can be
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o640); err != nil {
		return old, fmt.Errorf("note head of the audit log: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return old, fmt.Errorf("note head of the audit log: %w", err)
	}
	return h, nil
}

// HeadPath is where the head is noted for the database in a data folder.
func HeadPath(dir string) string { return filepath.Join(dir, "audit.head") }
