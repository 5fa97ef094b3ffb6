package people

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"io/fs"
	"sync"
	"time"

	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are how a Store behaves; the zero value is fine.
type Options struct {
	// Within says whether an area lies in the subtree of another; nil: only
	// in itself.
	Within func(area, root string) bool
	// Idle ends a session that was not used for so long; 0 means 12 hours.
	Idle time.Duration
	// Longest ends a session that began so long ago; 0 means 7 days.
	Longest time.Duration
}

// Store keeps roles, accounts, sessions and tokens.
type Store struct {
	db     *sql.DB
	audit  *audit.Log
	within func(area, root string) bool
	idle   time.Duration
	long   time.Duration
	guard  *guard

	mu    sync.RWMutex
	roles []Role
}

// Open brings the tables up to date.
func Open(ctx context.Context, db *sql.DB, log *audit.Log, o Options) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "people_version"); err != nil {
		return nil, err
	}
	s := &Store{db: db, audit: log, within: o.Within, idle: o.Idle, long: o.Longest, guard: newGuard()}
	if s.within == nil {
		s.within = func(area, root string) bool { return area == root }
	}
	if s.idle <= 0 {
		s.idle = 12 * time.Hour
	}
	if s.long <= 0 {
		s.long = 7 * 24 * time.Hour
	}
	return s, s.loadRoles(ctx)
}

// change runs fn in a transaction.
func (s *Store) change(ctx context.Context, fn func(*sql.Tx) error) error {
	return statedb.Change(ctx, s.db, fn)
}

// digest is what is kept of a secret that was made here: it is random and long
// enough that a plain hash does.
func digest(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func stamp(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
