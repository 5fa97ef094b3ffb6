package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"time"
)

// checker reads a journal's files beside whoever writes them.
type checker struct {
	dir     string
	chain   *sql.DB
	shelves map[int64]*sql.DB
	fault   func(Fault)
}

func openReadOnly(path string) (*sql.DB, error) {
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (k *checker) close() {
	if k.chain != nil {
		k.chain.Close()
	}
	for _, s := range k.shelves {
		s.Close()
	}
}

func (k *checker) shelf(start time.Time) (*sql.DB, error) {
	if s := k.shelves[start.Unix()]; s != nil {
		return s, nil
	}
	s, err := openReadOnly(filepath.Join(k.dir, start.Format(time.DateOnly)+".db"))
	if err == nil {
		k.shelves[start.Unix()] = s
	}
	return s, err
}

type checkedHead struct {
	TrackHead
	whole bool
}

func (k *checker) heads(ctx context.Context) (hs []checkedHead, err error) {
	rows, err := k.chain.QueryContext(ctx, `SELECT device, no, hash, whole FROM head ORDER BY device`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h checkedHead
		if err := rows.Scan(&h.Device, &h.No, &h.Hash, &h.whole); err != nil {
			return nil, err
		}
		hs = append(hs, h)
	}
	return hs, rows.Err()
}

// checkedBlock is a link as it was found, with the hash of what its run holds now.
type checkedBlock struct {
	Link
	last    int64 // of gone ones: the number of the last
	day     int64
	content []byte // nil: the run is gone
	gone    bool
}

func dayTime(d int64) time.Time { return milli(d * day) }

// vessel walks one chain.
func (k *checker) vessel(ctx context.Context, h checkedHead, noted TrackHead, sum *TracksChecked) error {
	bs, err := k.blocks(ctx, h, sum)
	if err != nil {
		return err
	}
	sum.Vessels++
	at := Link{Hash: make([]byte, sha256.Size)}
	known := true // at is what the next block stands on
	for _, b := range bs {
		bad := func(what string, no int64, d time.Time) { k.fault(Fault{h.Device, d, no, what}) }
		switch {
		case b.gone && b.last <= at.No:
			continue // noted as gone, and not removed yet
		case b.No <= at.No && !b.gone:
			bad("inserted", b.No, dayTime(b.day))
			continue
		case b.No > h.No && !b.gone:
			bad("inserted", b.No, dayTime(b.day))
			continue
		}
		for no := at.No + 1; no < b.No; no++ {
			bad("removed", no, time.Time{})
			known = false
		}
		switch {
		case b.gone:
			sum.Gone += b.last - max(b.No, at.No+1) + 1
			at, known = Link{b.last, b.Hash}, true
		case b.content == nil:
			bad("removed", b.No, dayTime(b.day))
			at, known = b.Link, true
		default:
			sum.Blocks++
			if known && !bytes.Equal(at.next(b.content).Hash, b.Hash) {
				bad("changed", b.No, dayTime(b.day))
			}
			at, known = b.Link, true
		}
		if noted.No == at.No && !bytes.Equal(noted.Hash, at.Hash) {
			bad("changed", at.No, time.Time{})
		}
	}
	for no := at.No + 1; no <= max(h.No, noted.No); no++ {
		k.fault(Fault{h.Device, time.Time{}, no, "removed"})
	}
	if at.No == h.No && !bytes.Equal(at.Hash, h.Hash) {
		k.fault(Fault{h.Device, time.Time{}, at.No, "changed"})
	}
	return nil
}

// blocks finds all of a vessel's links, and what is gone, by number. What came
// since the head was read is left out, as far as it stands on it.
func (k *checker) blocks(ctx context.Context, h checkedHead, sum *TracksChecked) (bs []checkedBlock, err error) {
	starts, err := listShelves(k.dir)
	if err != nil {
		return nil, err
	}
	for _, start := range sortTimes(starts) {
		found, err := k.shelfBlocks(ctx, start, h, sum)
		if err != nil {
			return nil, err
		}
		bs = append(bs, found...)
	}
	// Last: what went meanwhile was noted before it went.
	rows, err := k.chain.QueryContext(ctx, `SELECT first, last, hash FROM gone WHERE device=?`, string(h.Device))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		b := checkedBlock{gone: true}
		if err := rows.Scan(&b.No, &b.last, &b.Hash); err != nil {
			return nil, err
		}
		bs = append(bs, b)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(bs, func(a, b checkedBlock) int { return int(a.No - b.No) })
	if len(bs) > 0 && bs[len(bs)-1].No > h.No {
		var now int64
		if err := k.chain.QueryRowContext(ctx, `SELECT max(no) FROM (SELECT no FROM head WHERE device=? UNION SELECT no FROM pending WHERE device=?)`, string(h.Device), string(h.Device)).Scan(&now); err != nil {
			return nil, err
		}
		bs = slices.DeleteFunc(bs, func(b checkedBlock) bool { return !b.gone && b.No > h.No && b.No <= now })
	}
	return bs, nil
}

// shelfBlocks reads a vessel's blocks on one shelf, as they are at one moment.
func (k *checker) shelfBlocks(ctx context.Context, start time.Time, h checkedHead, sum *TracksChecked) (bs []checkedBlock, err error) {
	db, err := k.shelf(start)
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	var key int64
	err = tx.QueryRowContext(ctx, `SELECT key FROM device WHERE id=?`, string(h.Device)).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	metrics := map[uint64]string{}
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var k uint64
		var n string
		err := r.Scan(&k, &n)
		metrics[k] = n
		return err
	}, `SELECT key, name FROM metric`); err != nil {
		return nil, err
	}
	name := func(k uint64) (string, bool) { n, ok := metrics[k]; return n, ok }
	var links int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name='link'`).Scan(&links); err != nil {
		return nil, err
	}
	if links > 0 {
		err = each(ctx, tx, func(r *sql.Rows) error {
			var b checkedBlock
			var kind, first, last, n sql.NullInt64
			var body []byte
			if err := r.Scan(&b.No, &b.day, &b.Hash, &kind, &first, &last, &n, &body); err != nil {
				return err
			}
			if kind.Valid {
				names, err := metricsOf(uint8(kind.Int64), body, name)
				if err != nil {
					names = []string{"unreadable"} // so its hash is another
				}
				b.content = content(string(h.Device), uint8(kind.Int64), first.Int64, last.Int64, int(n.Int64), body, names)
			}
			bs = append(bs, b)
			return nil
		}, `SELECT link.no, link.day, link.hash, run.kind, run.first, run.last, run.n, run.body FROM link LEFT JOIN run ON run.id = link.run AND run.device = link.device WHERE link.device=?`, key)
		if err != nil {
			return nil, err
		}
	}
	loose := `SELECT first FROM run WHERE device=?`
	if links > 0 {
		loose += ` AND id NOT IN (SELECT run FROM link)`
	}
	return bs, each(ctx, tx, func(r *sql.Rows) error {
		var first int64
		if err := r.Scan(&first); err != nil {
			return err
		}
		if h.whole {
			k.fault(Fault{h.Device, dayTime(dayOf(first)), 0, "inserted"})
		} else {
			sum.Unsealed++
		}
		return nil
	}, loose, key)
}

func each(ctx context.Context, tx *sql.Tx, fn func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
