package people

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// recoveryCodes is how many are given.
const recoveryCodes = 10

// Enrolment is what an app needs to make codes.
type Enrolment struct {
	// Secret is base32, to be typed; Address the same for a QR code.
	Secret  string `json:"secret"`
	Address string `json:"address"`
}

// NewFactor offers a second factor: nothing changes until EnrolFactor is given
// the secret and a code made with it.
func (s *Store) NewFactor(name string) Enrolment {
	secret := newTOTPSecret()
	return Enrolment{secret, totpAddress(name, secret)}
}

// EnrolFactor gives an account a second factor, once a code shows that the app
// has the secret, and returns the recovery codes, shown this once. The password
// is asked for: a session left open does not do.
func (s *Store) EnrolFactor(ctx context.Context, name, password, secret, code, address string) (recovery []string, err error) {
	a, err := s.sure(ctx, name, password, address)
	if err != nil {
		return nil, err
	}
	if key, err := base32Plain.DecodeString(secret); err != nil || len(key) < 16 {
		return nil, &devices.FieldError{Field: "secret", Reason: "this is not the secret that was offered"}
	}
	step, ok := checkTOTP(secret, code, time.Now(), 0)
	if !ok {
		return nil, &devices.FieldError{Field: "code", Reason: "this is not the code of now; look whether the phone's clock is right"}
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = ?`, a.key); err != nil {
			return err
		}
		for range recoveryCodes {
			c := rand.Text()[:16]
			if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_code(account, hash) VALUES(?,?)`, a.key, digest(c)); err != nil {
				return err
			}
			recovery = append(recovery, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET totp_secret = ?, totp_step = ? WHERE key = ?`, secret, step, a.key); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "account.factor_on", Kind: "account", ID: a.Name})
	})
	if err != nil {
		return nil, fmt.Errorf("enrol second factor: %w", err)
	}
	return recovery, nil
}

// DropFactor takes an account's second factor away; the password is asked for.
func (s *Store) DropFactor(ctx context.Context, name, password, address string) error {
	a, err := s.sure(ctx, name, password, address)
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = ?`, a.key); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET totp_secret = '', totp_step = 0 WHERE key = ?`, a.key); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "account.factor_off", Kind: "account", ID: a.Name})
	})
	if err != nil {
		return fmt.Errorf("drop second factor: %w", err)
	}
	return nil
}

// sure asks for somebody's password again.
func (s *Store) sure(ctx context.Context, name, password, address string) (Account, error) {
	key := accountKey(name)
	if err := s.guard.locked(key, address, time.Now()); err != nil {
		return Account{}, err
	}
	a, err := account(ctx, s.db, key)
	if err != nil {
		return a, err
	}
	if right, _ := checkPassword(a.password, password); !right {
		s.guard.wrong(key, address, time.Now())
		return a, &devices.FieldError{Field: "password", Reason: "this is not the account's password"}
	}
	return a, nil
}

// useCode takes a code of the app, or a recovery code, which is used up.
func (s *Store) useCode(ctx context.Context, tx *sql.Tx, a *Account, code string) bool {
	if step, ok := checkTOTP(a.totp, code, time.Now(), a.totpStep); ok {
		_, err := tx.ExecContext(ctx, `UPDATE account SET totp_step = ? WHERE key = ?`, step, a.key)
		return err == nil
	}
	typed := bytes.ToUpper([]byte(strings.NewReplacer("-", "", " ", "").Replace(code)))
	res, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = ? AND hash = ?`, a.key, digest(string(typed)))
	if err != nil {
		return false
	}
	n, err := res.RowsAffected()
	return err == nil && n == 1
}
