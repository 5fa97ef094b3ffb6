package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"haidang/devices"
)

// chain ties the runs of vessels together, device by device, in the order in
// which they came to the shelves (chain.db): a run of a vessel, a block, is never
// joined or written again, and its hash stands on that of the block before it.
// On the shelf each block has a link, with its number and hash.
//
// A shelf and chain.db commit apart. So where the heads will be is noted before
// the shelf's commit, and taken for true, or forgotten, at the next start by
// what the shelf has.
type chain struct {
	db     *sql.DB
	member func(devices.ID) bool // whose runs are chained from now on

	mu      sync.RWMutex
	heads   map[string]Link
	unsaved map[string]Link // heads that a shelf has, and that could not be written here
}

const chainSchema = `
CREATE TABLE IF NOT EXISTS head(device TEXT PRIMARY KEY, no INTEGER NOT NULL, hash BLOB NOT NULL,
	whole INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID; -- whole: every run of the device is in the chain
CREATE TABLE IF NOT EXISTS pending(device TEXT PRIMARY KEY, no INTEGER NOT NULL, hash BLOB NOT NULL, shelf INTEGER NOT NULL) WITHOUT ROWID;
-- Blocks that were removed past their retention: the numbers from first to last,
-- the hash of the last, the newest fix time in them, when they went.
CREATE TABLE IF NOT EXISTS gone(device TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL,
	newest INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(device, first)) WITHOUT ROWID;`

// linkSchema is of a shelf; device is the shelf's key.
const linkSchema = `
CREATE TABLE IF NOT EXISTS link(run INTEGER PRIMARY KEY, device INTEGER NOT NULL, no INTEGER NOT NULL, day INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS link_device ON link(device, no);`

func openChain(ctx context.Context, dir string, member func(devices.ID) bool) (*chain, error) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, "chain.db"), "journal_mode(WAL)", "synchronous(FULL)"))
	if err != nil {
		return nil, fmt.Errorf("open the chains of vessel tracks: %w", err)
	}
	db.SetMaxOpenConns(2)
	c := &chain{db: db, member: member, heads: map[string]Link{}}
	if _, err := db.ExecContext(ctx, chainSchema); err != nil {
		db.Close()
		return nil, fmt.Errorf("open the chains of vessel tracks: %w", err)
	}
	return c, nil
}

// has says whether a device's runs are chained. One whose runs once were stays
// so, whatever becomes of its type.
func (c *chain) has(dev string) bool {
	c.mu.RLock()
	_, ok := c.heads[dev]
	c.mu.RUnlock()
	return ok || c.member != nil && c.member(devices.ID(dev))
}

func (c *chain) head(dev string) Link {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if l, ok := c.heads[dev]; ok {
		return l
	}
	return Link{Hash: make([]byte, sha256.Size)}
}

// settleHeads decides what was pending by what the shelves have, and reads the
// heads.
func (c *chain) settleHeads(ctx context.Context, onShelf func(ctx context.Context, shelf int64, device string, l Link) (bool, error)) error {
	rows, err := c.db.QueryContext(ctx, `SELECT device, no, hash, shelf FROM pending`)
	if err != nil {
		return fmt.Errorf("read the chains of vessel tracks: %w", err)
	}
	kept := map[string]Link{}
	for rows.Next() {
		var dev string
		var l Link
		var shelf int64
		if err = rows.Scan(&dev, &l.No, &l.Hash, &shelf); err != nil {
			break
		}
		var there bool
		if there, err = onShelf(ctx, shelf, dev, l); err != nil {
			break
		}
		if there {
			kept[dev] = l
		}
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	if err == nil {
		err = c.promote(ctx, kept)
	}
	if err != nil {
		return fmt.Errorf("read the chains of vessel tracks: %w", err)
	}
	rows, err = c.db.QueryContext(ctx, `SELECT device, no, hash FROM head`)
	if err != nil {
		return fmt.Errorf("read the chains of vessel tracks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var dev string
		var l Link
		if err := rows.Scan(&dev, &l.No, &l.Hash); err != nil {
			return fmt.Errorf("read the chains of vessel tracks: %w", err)
		}
		c.heads[dev] = l
	}
	return rows.Err()
}

// pend notes where heads will be when a shelf has committed.
func (c *chain) pend(ctx context.Context, shelf int64, heads map[string]Link) error {
	if len(heads) == 0 {
		return nil
	}
	if len(c.unsaved) > 0 {
		if err := c.promote(ctx, c.unsaved); err != nil {
			return err
		}
	}
	return c.change(ctx, func(tx *sql.Tx) error {
		for dev, l := range heads {
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO pending VALUES(?,?,?,?)`, dev, l.No, l.Hash, shelf); err != nil {
				return err
			}
		}
		return nil
	})
}

// promote makes pending heads the true ones, and forgets all that is pending.
func (c *chain) promote(ctx context.Context, heads map[string]Link) error {
	c.mu.Lock()
	for dev, l := range heads {
		c.heads[dev] = l
	}
	c.mu.Unlock()
	c.unsaved = heads
	err := c.change(ctx, func(tx *sql.Tx) error {
		for dev, l := range heads {
			if _, err := tx.ExecContext(ctx, `INSERT INTO head(device,no,hash) VALUES(?,?,?) ON CONFLICT DO UPDATE SET no=excluded.no, hash=excluded.hash`, dev, l.No, l.Hash); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM pending`)
		return err
	})
	if err == nil {
		c.unsaved = nil
	}
	return err
}

// goneBlock is a block that is to be removed.
type goneBlock struct {
	link   Link
	newest int64
}

// bury notes blocks that go, before they do. Those that follow one another are
// one row.
func (c *chain) bury(ctx context.Context, dev string, blocks []goneBlock, now time.Time) error {
	slices.SortFunc(blocks, func(a, b goneBlock) int { return int(a.link.No - b.link.No) })
	return c.change(ctx, func(tx *sql.Tx) error {
		for _, b := range blocks {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM gone WHERE device=? AND first<=? AND last>=?`, dev, b.link.No, b.link.No).Scan(&n); err != nil || n > 0 {
				if err != nil {
					return err
				}
				continue // broken off after this, before it went
			}
			res, err := tx.ExecContext(ctx, `UPDATE gone SET last=?, hash=?, newest=max(newest,?), at=? WHERE device=? AND last=?`, b.link.No, b.link.Hash, b.newest, now.UnixMilli(), dev, b.link.No-1)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				if _, err := tx.ExecContext(ctx, `INSERT INTO gone VALUES(?,?,?,?,?,?)`, dev, b.link.No, b.link.No, b.link.Hash, b.newest, now.UnixMilli()); err != nil {
					return err
				}
			}
			// It may have closed the gap to the row behind it.
			var last, newest int64
			var hash []byte
			err = tx.QueryRowContext(ctx, `DELETE FROM gone WHERE device=? AND first=? RETURNING last, hash, newest`, dev, b.link.No+1).Scan(&last, &hash, &newest)
			if err == sql.ErrNoRows {
				continue
			}
			if err == nil {
				_, err = tx.ExecContext(ctx, `UPDATE gone SET last=?, hash=?, newest=max(newest,?) WHERE device=? AND last=?`, last, hash, newest, dev, b.link.No)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *chain) change(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the chains of vessel tracks: %w", err)
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return fmt.Errorf("write the chains of vessel tracks: %w", err)
	}
	return tx.Commit()
}

// TrackHead is the newest block of a vessel.
type TrackHead struct {
	Device devices.ID
	Link
}

// TrackHeads are those of all vessels, by id. Noted elsewhere, they later prove
// that nothing before them was touched.
func (j *Journal) TrackHeads() []TrackHead {
	j.chain.mu.RLock()
	defer j.chain.mu.RUnlock()
	hs := make([]TrackHead, 0, len(j.chain.heads))
	for dev, l := range j.chain.heads {
		hs = append(hs, TrackHead{devices.ID(dev), l})
	}
	slices.SortFunc(hs, func(a, b TrackHead) int { return strings.Compare(string(a.Device), string(b.Device)) })
	return hs
}
