package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Account is somebody who can sign in. No secret stands in it.
type Account struct {
	// Name is what they sign in with, unique without regard to case.
	Name     string  `json:"name"`
	FullName string  `json:"full_name"`
	Grants   []Grant `json:"grants"`
	// Crew is the only crew that they act for; empty: any that their rights
	// allow.
	Crew     string `json:"crew,omitempty"`
	Disabled bool   `json:"disabled"`
	// MustChange says that the password was given to them and must be changed
	// before anything else.
	MustChange bool `json:"must_change"`
	// SecondFactor says that signing in also asks for a code.
	SecondFactor bool `json:"second_factor"`
	// External accounts sign in by the identity provider, whose word on their
	// grants holds from each sign-in on.
	External   bool       `json:"external,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	SignedInAt *time.Time `json:"signed_in_at,omitempty"`

	key, password, totp string
	totpStep            int64
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$`)

// accountKey is the form under which two names are the same account.
func accountKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// check says what is wrong with the first bad field.
func (s *Store) check(a *Account) error {
	a.Name, a.FullName = strings.TrimSpace(a.Name), strings.TrimSpace(a.FullName)
	if !nameForm.MatchString(a.Name) {
		return &devices.FieldError{Field: "name", Reason: fmt.Sprintf("%.80q is no name to sign in with: 2 to 64 letters without accents, digits, '.', '_', '-' or '@'", a.Name)}
	}
	if len(a.FullName) > 200 || len(a.Crew) > 100 {
		return &devices.FieldError{Field: "full_name", Reason: "at most 200 bytes"}
	}
	if len(a.Grants) == 0 || len(a.Grants) > 50 {
		return &devices.FieldError{Field: "grants", Reason: "an account needs from 1 to 50 roles"}
	}
	for i, g := range a.Grants {
		if _, known := s.Role(g.Role); !known {
			return &devices.FieldError{Field: fmt.Sprintf("grants[%d].role", i), Reason: fmt.Sprintf("%.60q is no role; GET /api/v1/roles lists them", g.Role)}
		}
		if len(g.Area) > 100 || len(g.Categories) > 100 || slices.ContainsFunc(g.Categories, func(c string) bool { return c == "" || len(c) > 100 }) {
			return &devices.FieldError{Field: fmt.Sprintf("grants[%d]", i), Reason: "an area and categories have 1 to 100 bytes each, and there are at most 100"}
		}
	}
	return nil
}

// Create makes an account and returns the password that was made for it, shown
// this once, to be changed at the first sign-in. A name that is taken is
// devices.ErrConflict.
func (s *Store) Create(ctx context.Context, a Account) (Account, string, error) {
	if err := s.check(&a); err != nil {
		return a, "", err
	}
	password := rand.Text()
	a.key, a.password, a.MustChange, a.Disabled, a.CreatedAt = accountKey(a.Name), hashPassword(password), true, false, now()
	err := s.change(ctx, func(tx *sql.Tx) error {
		if old, err := account(ctx, tx, a.key); err == nil {
			return fmt.Errorf("the account %s exists already: %w", old.Name, devices.ErrConflict)
		} else if !errors.Is(err, devices.ErrNotFound) {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO account(key,name,full_name,crew,grants,password,must_change,disabled,totp_secret,totp_step,created_at,signed_in_at) VALUES(?,?,?,?,?,?,1,0,'',0,?,0)`,
			a.key, a.Name, a.FullName, a.Crew, string(asJSON(a.Grants)), a.password, a.CreatedAt.UnixMilli())
		if err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "account.create", Kind: "account", ID: a.Name, After: asJSON(a)})
	})
	if err != nil {
		return a, "", fmt.Errorf("make account: %w", err)
	}
	return a, password, nil
}

// Get finds an account by name, or devices.ErrNotFound.
func (s *Store) Get(ctx context.Context, name string) (Account, error) {
	return account(ctx, s.db, accountKey(name))
}

// List returns accounts by name, at most limit after the name given; next is
// the name to go on after, empty at the end.
func (s *Store) List(ctx context.Context, after string, limit int) (as []Account, next string, err error) {
	rows, err := s.db.QueryContext(ctx, selectAccount+` WHERE key > ? ORDER BY key LIMIT ?`, accountKey(after), limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, "", fmt.Errorf("list accounts: %w", err)
		}
		if len(as) == limit {
			return as, as[limit-1].Name, nil
		}
		as = append(as, a)
	}
	return as, "", rows.Err()
}

// Count is how many accounts can sign in.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM account WHERE disabled = 0`).Scan(&n)
	return n, err
}

// Update changes full name, grants, crew and whether the account is disabled.
// When grants or crew change, or it is disabled, its sessions end. The last
// account that may manage people keeps that right: taking it is
// devices.ErrConflict.
func (s *Store) Update(ctx context.Context, a Account) (Account, error) {
	if err := s.check(&a); err != nil {
		return a, err
	}
	var after Account
	err := s.change(ctx, func(tx *sql.Tx) error {
		old, err := account(ctx, tx, accountKey(a.Name))
		if err != nil {
			return err
		}
		after = old
		after.FullName, after.Grants, after.Crew, after.Disabled = a.FullName, a.Grants, a.Crew, a.Disabled
		if s.manages(old) && !s.manages(after) {
			if err := s.othersManage(ctx, tx, old.key); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET full_name=?, grants=?, crew=?, disabled=? WHERE key=?`,
			after.FullName, string(asJSON(after.Grants)), after.Crew, after.Disabled, after.key); err != nil {
			return err
		}
		if after.Disabled || after.Crew != old.Crew || string(asJSON(after.Grants)) != string(asJSON(old.Grants)) {
			if err := endSessions(ctx, tx, `account = ?`, after.key); err != nil {
				return err
			}
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "account.update", Kind: "account", ID: old.Name, Before: asJSON(old), After: asJSON(after)})
	})
	if err != nil {
		return a, fmt.Errorf("change account: %w", err)
	}
	return after, nil
}

// Reset gives an account a new password, returned this once, to be changed at
// the next sign-in; it takes the second factor away, and ends its sessions and
// API tokens.
func (s *Store) Reset(ctx context.Context, name string) (password string, err error) {
	password = rand.Text()
	hash := hashPassword(password)
	err = s.change(ctx, func(tx *sql.Tx) error {
		a, err := account(ctx, tx, accountKey(name))
		if err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM recovery_code WHERE account = ?`, `DELETE FROM api_token WHERE account = ?`, `DELETE FROM session WHERE account = ?`} {
			if _, err := tx.ExecContext(ctx, q, a.key); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET password=?, must_change=1, totp_secret='', totp_step=0 WHERE key=?`, hash, a.key); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "account.reset", Kind: "account", ID: a.Name})
	})
	if err != nil {
		return "", fmt.Errorf("reset account: %w", err)
	}
	return password, nil
}

func (s *Store) manages(a Account) bool {
	return !a.Disabled && s.Rights(a.Grants...).Everywhere(PersonManage)
}

// othersManage makes sure that somebody else may still manage people.
func (s *Store) othersManage(ctx context.Context, tx *sql.Tx, but string) error {
	rows, err := tx.QueryContext(ctx, selectAccount+` WHERE key <> ? AND disabled = 0`, but)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return err
		}
		if s.manages(a) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return fmt.Errorf("this is the last account that may manage people; give another one that right first: %w", devices.ErrConflict)
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

const selectAccount = `SELECT key,name,full_name,crew,grants,password,must_change,disabled,totp_secret,totp_step,created_at,signed_in_at,subject IS NOT NULL FROM account`

// account finds one by its key.
func account(ctx context.Context, q querier, key string) (Account, error) {
	a, err := scanAccount(q.QueryRowContext(ctx, selectAccount+` WHERE key = ?`, key))
	if errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("account %.80s: %w", key, devices.ErrNotFound)
	}
	return a, err
}

func scanAccount(row interface{ Scan(...any) error }) (a Account, err error) {
	var grants string
	var created, signed int64
	if err := row.Scan(&a.key, &a.Name, &a.FullName, &a.Crew, &grants, &a.password, &a.MustChange, &a.Disabled, &a.totp, &a.totpStep, &created, &signed, &a.External); err != nil {
		return a, err
	}
	a.CreatedAt, a.SecondFactor = stamp(created), a.totp != ""
	if signed > 0 {
		t := stamp(signed)
		a.SignedInAt = &t
	}
	return a, json.Unmarshal([]byte(grants), &a.Grants)
}
