package reports

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Personal is what of a report tells a person or a home, as it was sent.
type Personal struct {
	Code        string   `json:"code"`
	Name        string   `json:"name"`
	Phone       string   `json:"phone"`
	Description string   `json:"description"`
	Address     string   `json:"address"`
	Lat         *float64 `json:"lat,omitempty"`
	Lon         *float64 `json:"lon,omitempty"`
}

// ToUnmask asks for the reason of who wants to see what is hidden.
const ToUnmask = "say why you need it"

// Unmask gives what of a report is hidden, once somebody says why they need it.
// The audit log has it before they have.
func (s *Service) Unmask(ctx context.Context, code, reason string) (*Personal, error) {
	reason, err := devices.AuditedReason(reason, ToUnmask)
	if err != nil {
		return nil, err
	}
	code = readCode(s.prefix, code)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("unmask report: %w", err)
	}
	defer tx.Rollback()
	p := &Personal{Code: code}
	var anonymised sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT reporter,phone,description,address,lat,lon,anonymised_at FROM report WHERE code = ?`, code).Scan(&p.Name, &p.Phone, &p.Description, &p.Address, &p.Lat, &p.Lon, &anonymised)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("report: %w", devices.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("unmask report: %w", err)
	}
	if anonymised.Valid {
		return nil, fmt.Errorf("what tells a person was taken out of this report on %s, for good: %w", time.UnixMilli(anonymised.Int64).UTC().Format(time.DateOnly), devices.ErrConflict)
	}
	if err := s.audit.Append(ctx, tx, audit.Entry{Action: "report.unmask", Kind: "report", ID: code, Why: hider(p.Name)(reason)}); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("unmask report: %w", err)
	}
	return p, nil
}

// Place is where a report is, exactly, for whoever is sent there; nil when it
// has an address only.
func (s *Service) Place(ctx context.Context, code string) (lat, lon *float64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT lat, lon FROM report WHERE code = ?`, readCode(s.prefix, code)).Scan(&lat, &lon)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("report: %w", devices.ErrNotFound)
	}
	return lat, lon, err
}
