package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Session is somebody who signed in on a page.
type Session struct {
	// ID names the session to people; it opens nothing.
	ID string `json:"id"`
	// Account is whose it is; empty: of a configured token, whose SHA-256 in
	// hex is Token.
	Account   string    `json:"account,omitempty"`
	Token     string    `json:"-"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
}

// touchAfter is how stale SeenAt may be: not every request writes.
const touchAfter = time.Minute

// OpenSession opens a session of a configured token, which name names.
func (s *Store) OpenSession(ctx context.Context, name string, se Session) (cookie string, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if cookie, err = openSession(ctx, tx, se); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Who: name, Address: se.Address, Action: "session.create", Kind: "token", ID: name})
	})
	if err != nil {
		return "", fmt.Errorf("open session: %w", err)
	}
	return cookie, nil
}

// openSession keeps a session under the hash of its cookie.
func openSession(ctx context.Context, tx *sql.Tx, se Session) (cookie string, err error) {
	cookie = rand.Text()
	t := now().UnixMilli()
	_, err = tx.ExecContext(ctx, `INSERT INTO session(hash,id,account,token,address,agent,created_at,seen_at) VALUES(?,?,?,?,?,?,?,?)`,
		digest(cookie), rand.Text(), se.Account, se.Token, se.Address, cut(se.Agent, 200), t, t)
	return cookie, err
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return string([]rune(s[:n]))
}

// Session finds the session of a cookie, and its account unless it is of a
// token. One that was idle for too long, or lasts too long, is
// devices.ErrNotFound, and so is that of a disabled account.
func (s *Store) Session(ctx context.Context, cookie string) (Session, Account, error) {
	hash := digest(cookie)
	se, err := scanSession(s.db.QueryRowContext(ctx, selectSession+` WHERE hash = ?`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return se, Account{}, fmt.Errorf("session: %w", devices.ErrNotFound)
	}
	if err != nil {
		return se, Account{}, fmt.Errorf("read session: %w", err)
	}
	t := now()
	if t.Sub(se.SeenAt) > s.idle || t.Sub(se.CreatedAt) > s.long {
		return se, Account{}, fmt.Errorf("session: it has expired: %w", devices.ErrNotFound)
	}
	var a Account
	if se.Account != "" {
		if a, err = account(ctx, s.db, se.Account); err != nil {
			return se, a, err
		}
		if a.Disabled {
			return se, a, fmt.Errorf("session: the account is disabled: %w", devices.ErrNotFound)
		}
		se.Account = a.Name
	}
	if t.Sub(se.SeenAt) > touchAfter {
		// A full disk does not end the session.
		s.db.ExecContext(ctx, `UPDATE session SET seen_at = ? WHERE hash = ?`, t.UnixMilli(), hash)
	}
	return se, a, nil
}

// Sessions lists the sessions that stand: of one account, or of all, newest
// first; at most 1,000.
func (s *Store) Sessions(ctx context.Context, name string) ([]Session, error) {
	t := now()
	rows, err := s.db.QueryContext(ctx, selectSession+` WHERE (? = '' OR account = ?) AND seen_at > ? AND created_at > ? ORDER BY seen_at DESC LIMIT 1000`,
		name, accountKey(name), t.Add(-s.idle).UnixMilli(), t.Add(-s.long).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	defer rows.Close()
	var ses []Session
	for rows.Next() {
		se, err := scanSession(rows)
		if err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		ses = append(ses, se)
	}
	return ses, rows.Err()
}

// EndSession ends a session by its id; with a name only one of that account.
func (s *Store) EndSession(ctx context.Context, id, name string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		se, err := scanSession(tx.QueryRowContext(ctx, selectSession+` WHERE id = ? AND (? = '' OR account = ?)`, id, name, accountKey(name)))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("session %.40s: %w", id, devices.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if err := endSessions(ctx, tx, `id = ?`, id); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "session.end", Kind: "account", ID: se.Account})
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// Sweep removes sessions and API tokens that have expired.
func (s *Store) Sweep(ctx context.Context) error {
	t := now()
	if _, err := s.db.ExecContext(ctx, `DELETE FROM session WHERE seen_at <= ? OR created_at <= ?`, t.Add(-s.idle).UnixMilli(), t.Add(-s.long).UnixMilli()); err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `DELETE FROM api_token WHERE expires_at <= ?`, t.UnixMilli()); err != nil {
		return fmt.Errorf("sweep tokens: %w", err)
	}
	return nil
}

// endSessions ends those that match.
func endSessions(ctx context.Context, tx *sql.Tx, where string, args ...any) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM session WHERE `+where, args...)
	return err
}

const selectSession = `SELECT id,account,token,address,agent,created_at,seen_at FROM session`

func scanSession(row interface{ Scan(...any) error }) (se Session, err error) {
	var created, seen int64
	err = row.Scan(&se.ID, &se.Account, &se.Token, &se.Address, &se.Agent, &created, &seen)
	se.CreatedAt, se.SeenAt = stamp(created), stamp(seen)
	return se, err
}
