package retention

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haidang/devices/audit"
)

// Track is the newest block of a vessel's chain in the journal.
type Track struct {
	Device string
	No     int64
	Hash   []byte
}

// digest is one hash of many heads.
func digest(ts []Track) string {
	ts = slices.Clone(ts)
	slices.SortFunc(ts, func(a, b Track) int { return strings.Compare(a.Device, b.Device) })
	h := sha256.New()
	for _, t := range ts {
		fmt.Fprintf(h, "%d:%s %d %x\n", len(t.Device), t.Device, t.No, t.Hash)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// NoteTracks keeps the heads of the vessel tracks here, and their digest in the
// audit log, apart from the journal: who rewrites the journal afterwards has to
// rewrite both. It returns the digest; empty: there are no tracks.
func (s *Store) NoteTracks(ctx context.Context, ts []Track) (string, error) {
	if len(ts) == 0 {
		return "", nil
	}
	d := digest(ts)
	err := s.change(ctx, func(tx *sql.Tx) error {
		old, err := tracks(ctx, tx)
		if err != nil || digest(old) == d {
			return err
		}
		for _, t := range ts {
			if _, err := tx.ExecContext(ctx, `INSERT INTO retention_track VALUES(?,?,?,?) ON CONFLICT(device) DO UPDATE SET no=excluded.no, hash=excluded.hash, at=excluded.at`,
				t.Device, t.No, t.Hash, time.Now().UnixMilli()); err != nil {
				return err
			}
		}
		all, err := tracks(ctx, tx) // with those that are not there any more
		if err != nil {
			return err
		}
		d = digest(all)
		after, _ := json.Marshal(map[string]any{"vessels": len(all), "digest": d})
		return s.audit.Append(ctx, tx, audit.Entry{Action: "retention.tracks", Kind: "vessel_tracks", ID: "all", After: after})
	})
	if err != nil {
		return "", fmt.Errorf("note the heads of vessel tracks: %w", err)
	}
	return d, nil
}

// Tracks are the heads that were noted last. ErrTracks says that they are not
// those of the audit log.
func (s *Store) Tracks(ctx context.Context) ([]Track, error) {
	ts, err := tracks(ctx, s.db)
	if err != nil {
		return nil, fmt.Errorf("read the noted heads of vessel tracks: %w", err)
	}
	es, err := s.audit.List(ctx, audit.Filter{Action: "retention.tracks", Limit: 1})
	if err != nil {
		return nil, err
	}
	var told struct{ Digest string }
	if len(es) > 0 {
		if err := json.Unmarshal(es[0].After, &told); err != nil {
			return nil, fmt.Errorf("read audit entry %d: %w", es[0].Seq, err)
		}
	}
	if len(ts) > 0 && digest(ts) != told.Digest || len(ts) == 0 && told.Digest != "" {
		return ts, ErrTracks
	}
	return ts, nil
}

// ErrTracks says that the heads of the vessel tracks were changed after they were
// noted.
var ErrTracks = errors.New("the noted heads of vessel tracks are not those of the audit log")

func tracks(ctx context.Context, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}) (ts []Track, err error) {
	rows, err := q.QueryContext(ctx, `SELECT device, no, hash FROM retention_track ORDER BY device`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Track
		if err := rows.Scan(&t.Device, &t.No, &t.Hash); err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, rows.Err()
}
