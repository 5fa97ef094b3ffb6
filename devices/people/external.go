package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"haidang/devices"
	"haidang/devices/audit"
)

// External is somebody whom an identity provider knows.
type External struct {
	// Subject is the provider and its own name for them, which never changes
	// hands.
	Subject string
	// Name is what the account is called when it is made, FullName their name.
	Name, FullName string
	// Grants are what they may do now, by the provider's word.
	Grants         []Grant
	Address, Agent string
}

// SignInExternal opens a session for somebody whom the provider has vouched for.
// At the first time it makes an account; each time their rights become those
// that the provider says, and their other sessions end when these changed. An
// account of that name that is not theirs is devices.ErrConflict; a disabled one
// ErrWrong.
func (s *Store) SignInExternal(ctx context.Context, x External) (cookie string, err error) {
	a := Account{Name: x.Name, FullName: x.FullName, Grants: x.Grants, CreatedAt: now()}
	if err := s.check(&a); err != nil {
		return "", err
	}
	ctx = audit.As(ctx, audit.Actor{Who: a.Name, Role: s.Rights(a.Grants...).Roles(), Address: x.Address, Why: "identity provider"})
	err = s.change(ctx, func(tx *sql.Tx) error {
		old, err := scanAccount(tx.QueryRowContext(ctx, selectAccount+` WHERE subject = ?`, x.Subject))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			a.key = accountKey(a.Name)
			if err := s.createExternal(ctx, tx, a, x.Subject); err != nil {
				return err
			}
		case err != nil:
			return err
		case old.Disabled:
			return ErrWrong
		default:
			a.key, a.Name = old.key, old.Name
			if err := s.updateExternal(ctx, tx, old, a); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET signed_in_at = ? WHERE key = ?`, now().UnixMilli(), a.key); err != nil {
			return err
		}
		if cookie, err = openSession(ctx, tx, Session{Account: a.key, Address: x.Address, Agent: x.Agent}); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "session.create", Kind: "account", ID: a.Name})
	})
	if err != nil {
		return "", fmt.Errorf("sign in by identity provider: %w", err)
	}
	return cookie, nil
}

func (s *Store) createExternal(ctx context.Context, tx *sql.Tx, a Account, subject string) error {
	if taken, err := account(ctx, tx, a.key); err == nil {
		return fmt.Errorf("the name %s is another account's; an administrator has to settle it: %w", taken.Name, devices.ErrConflict)
	} else if !errors.Is(err, devices.ErrNotFound) {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO account(key,name,full_name,crew,grants,password,must_change,disabled,totp_secret,totp_step,created_at,signed_in_at,subject) VALUES(?,?,?,'',?,'',0,0,'',0,?,0,?)`,
		a.key, a.Name, a.FullName, string(asJSON(a.Grants)), a.CreatedAt.UnixMilli(), subject)
	if err != nil {
		return err
	}
	return s.audit.Append(ctx, tx, audit.Entry{Action: "account.create", Kind: "account", ID: a.Name, After: asJSON(a)})
}

func (s *Store) updateExternal(ctx context.Context, tx *sql.Tx, old, a Account) error {
	was, is := string(asJSON(old.Grants)), string(asJSON(a.Grants))
	if was == is && old.FullName == a.FullName {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE account SET full_name = ?, grants = ? WHERE key = ?`, a.FullName, is, old.key); err != nil {
		return err
	}
	if was != is {
		if err := endSessions(ctx, tx, `account = ?`, old.key); err != nil {
			return err
		}
	}
	after := old
	after.FullName, after.Grants = a.FullName, a.Grants
	return s.audit.Append(ctx, tx, audit.Entry{Action: "account.update", Kind: "account", ID: old.Name, Before: asJSON(old), After: asJSON(after)})
}
