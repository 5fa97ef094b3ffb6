package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// ErrWrong says that name, password or code are not right, and not which of
// them.
var ErrWrong = errors.New("name, password or code is wrong")

// ErrCodeNeeded says that the password is right and the account's second factor
// is asked for.
var ErrCodeNeeded = errors.New("a code of the second factor is needed")

// Attempt is somebody who wants to sign in.
type Attempt struct {
	Account, Password string
	// Code is of the second factor, or a recovery code.
	Code string
	// Address is where they are, Agent the browser they have.
	Address, Agent string
}

// SignIn checks an attempt and opens a session; cookie is its secret, given this
// once. The errors are ErrWrong, ErrCodeNeeded and *Locked, and none says
// whether there is such an account: an unknown name is as wrong as a wrong
// password, and takes as long.
func (s *Store) SignIn(ctx context.Context, at Attempt) (cookie string, a Account, err error) {
	key := accountKey(at.Account)
	if len(key) > 64 || len(at.Password) > 1024 {
		return "", a, ErrWrong
	}
	if err := s.guard.locked(key, at.Address, time.Now()); err != nil {
		return "", a, err
	}
	a, err = account(ctx, s.db, key)
	if err != nil && !errors.Is(err, devices.ErrNotFound) {
		return "", a, fmt.Errorf("sign in: %w", err)
	}
	known := err == nil
	right, stale := checkPassword(a.password, at.Password)
	if !known || !right || a.Disabled {
		return "", a, s.wrong(ctx, key, a.Name, at)
	}
	if a.SecondFactor && at.Code == "" {
		return "", a, ErrCodeNeeded
	}
	fresh := ""
	if stale {
		fresh = hashPassword(at.Password)
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		// Read again: since then it may have been disabled, or the code used.
		if a, err = account(ctx, tx, key); err != nil {
			return err
		}
		if a.Disabled || a.SecondFactor && !s.useCode(ctx, tx, &a, at.Code) {
			return ErrWrong
		}
		if fresh != "" {
			if _, err := tx.ExecContext(ctx, `UPDATE account SET password = ? WHERE key = ?`, fresh, key); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET signed_in_at = ? WHERE key = ?`, now().UnixMilli(), key); err != nil {
			return err
		}
		if cookie, err = openSession(ctx, tx, Session{Account: key, Address: at.Address, Agent: at.Agent}); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Who: a.Name, Role: s.Rights(a.Grants...).Roles(), Address: at.Address, Action: "session.create", Kind: "account", ID: a.Name})
	})
	if errors.Is(err, ErrWrong) {
		return "", a, s.wrong(ctx, key, a.Name, at)
	}
	if err != nil {
		return "", a, fmt.Errorf("sign in: %w", err)
	}
	s.guard.right(key, at.Address)
	return cookie, a, nil
}

// wrong counts and records a failed attempt. A name that is no account's is not
// recorded: people type passwords there.
func (s *Store) wrong(ctx context.Context, key, name string, at Attempt) error {
	s.guard.wrong(key, at.Address, time.Now())
	who := name
	if who == "" {
		who = "?"
	}
	if err := s.audit.Record(ctx, audit.Entry{Who: who, Address: at.Address, Action: "session.refuse", Kind: "account", ID: who}); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return ErrWrong
}

// Try counts attempts of what has no account, such as a token: it says when one
// from an address has to wait, and notes a wrong one.
func (s *Store) Try(address string, right func() bool) error {
	if err := s.guard.locked("", address, time.Now()); err != nil {
		return err
	}
	if !right() {
		s.guard.wrong("", address, time.Now())
		return ErrWrong
	}
	s.guard.right("", address)
	return nil
}

// SetPassword changes somebody's own password. The others of their sessions end.
// The old one is asked for again; a wrong one counts as an attempt to sign in.
func (s *Store) SetPassword(ctx context.Context, name, old, password, address, session string) error {
	key := accountKey(name)
	if err := s.guard.locked(key, address, time.Now()); err != nil {
		return err
	}
	a, err := account(ctx, s.db, key)
	if err != nil {
		return err
	}
	if right, _ := checkPassword(a.password, old); !right {
		s.guard.wrong(key, address, time.Now())
		return &devices.FieldError{Field: "password", Reason: "this is not the password until now"}
	}
	if err := checkRule(password, a); err != nil {
		return err
	}
	if password == old {
		return &devices.FieldError{Field: "new_password", Reason: "this is the password until now; choose another"}
	}
	hash := hashPassword(password)
	err = s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE account SET password = ?, must_change = 0 WHERE key = ?`, hash, key); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, `account = ? AND id <> ?`, key, session); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "account.password", Kind: "account", ID: a.Name})
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return nil
}
