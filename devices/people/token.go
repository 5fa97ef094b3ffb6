package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Token is a credential of a program: it acts for an account, with some of its
// rights, until it expires.
type Token struct {
	ID      string   `json:"id"`
	Account string   `json:"account"`
	Name    string   `json:"name"`
	Actions []Action `json:"actions"`
	// UsedAt is when it was last used, to the minute.
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}

// tokenPrefix tells what a text is when it is found where it should not be.
const tokenPrefix = "hd_"

// longestToken is how long a token may hold.
const longestToken = 366 * 24 * time.Hour

// CreateToken makes a token of somebody's own and returns its secret, this once.
// They cannot give it more than they may do.
func (s *Store) CreateToken(ctx context.Context, t Token) (Token, string, error) {
	a, err := s.Get(ctx, t.Account)
	if err != nil {
		return t, "", err
	}
	rights := s.Rights(a.Grants...)
	t.Name = strings.TrimSpace(t.Name)
	t.CreatedAt = now()
	switch {
	case t.Name == "" || len(t.Name) > 100:
		return t, "", &devices.FieldError{Field: "name", Reason: "say in a few words what the token is for, at most 100 bytes"}
	case len(t.Actions) == 0:
		return t, "", &devices.FieldError{Field: "actions", Reason: "name at least one action that it may do"}
	case !t.ExpiresAt.After(t.CreatedAt) || t.ExpiresAt.After(t.CreatedAt.Add(longestToken)):
		return t, "", &devices.FieldError{Field: "expires_at", Reason: "a token holds for at most a year from now"}
	}
	for _, x := range t.Actions {
		if !rights.Has(x) {
			return t, "", &devices.FieldError{Field: "actions", Reason: fmt.Sprintf("the account has no right to %.60q, so its token cannot", x)}
		}
	}
	secret := tokenPrefix + rand.Text()
	t.ID, t.Account, t.ExpiresAt = rand.Text(), a.Name, t.ExpiresAt.UTC().Truncate(time.Millisecond)
	err = s.change(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM api_token WHERE account = ?`, a.key).Scan(&n); err != nil {
			return err
		}
		if n >= 100 {
			return fmt.Errorf("the account has 100 tokens; end some first: %w", devices.ErrConflict)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO api_token(id,hash,account,name,actions,created_at,expires_at,used_at) VALUES(?,?,?,?,?,?,?,0)`,
			t.ID, digest(secret), a.key, t.Name, string(asJSON(t.Actions)), t.CreatedAt.UnixMilli(), t.ExpiresAt.UnixMilli()); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "token.create", Kind: "token", ID: t.ID, After: asJSON(t)})
	})
	if err != nil {
		return t, "", fmt.Errorf("make token: %w", err)
	}
	return t, secret, nil
}

// Tokens lists an account's tokens.
func (s *Store) Tokens(ctx context.Context, name string) ([]Token, error) {
	rows, err := s.db.QueryContext(ctx, selectToken+` WHERE account = ? ORDER BY created_at`, accountKey(name))
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer rows.Close()
	var ts []Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		ts = append(ts, t)
	}
	return ts, rows.Err()
}

// DeleteToken ends a token of an account at once.
func (s *Store) DeleteToken(ctx context.Context, id, name string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		t, err := scanToken(tx.QueryRowContext(ctx, selectToken+` WHERE id = ? AND account = ?`, id, accountKey(name)))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("token %.40s: %w", id, devices.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM api_token WHERE id = ?`, id); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "token.delete", Kind: "token", ID: id, Before: asJSON(t)})
	})
	if err != nil {
		return fmt.Errorf("end token: %w", err)
	}
	return nil
}

// ByToken finds the account of a token's secret and what the token may do.
// Expired ones, and those of a disabled account or of one that must change its
// password first, are devices.ErrNotFound.
func (s *Store) ByToken(ctx context.Context, secret string) (Token, Account, error) {
	none := func() (Token, Account, error) {
		return Token{}, Account{}, fmt.Errorf("token: %w", devices.ErrNotFound)
	}
	if !strings.HasPrefix(secret, tokenPrefix) {
		return none()
	}
	t, err := scanToken(s.db.QueryRowContext(ctx, selectToken+` WHERE hash = ?`, digest(secret)))
	if errors.Is(err, sql.ErrNoRows) {
		return none()
	}
	if err != nil {
		return t, Account{}, fmt.Errorf("read token: %w", err)
	}
	a, err := account(ctx, s.db, t.Account)
	if err != nil {
		return t, a, err
	}
	at := now()
	if !at.Before(t.ExpiresAt) || a.Disabled || a.MustChange {
		return none()
	}
	if t.UsedAt == nil || at.Sub(*t.UsedAt) > touchAfter {
		s.db.ExecContext(ctx, `UPDATE api_token SET used_at = ? WHERE id = ?`, at.UnixMilli(), t.ID)
	}
	return t, a, nil
}

const selectToken = `SELECT id,account,name,actions,created_at,expires_at,used_at FROM api_token`

func scanToken(row interface{ Scan(...any) error }) (t Token, err error) {
	var actions string
	var created, expires, used int64
	if err := row.Scan(&t.ID, &t.Account, &t.Name, &actions, &created, &expires, &used); err != nil {
		return t, err
	}
	t.CreatedAt, t.ExpiresAt = stamp(created), stamp(expires)
	if used > 0 {
		u := stamp(used)
		t.UsedAt = &u
	}
	if err := json.Unmarshal([]byte(actions), &t.Actions); err != nil {
		return t, err
	}
	return t, nil
}
