package commands

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Config is how a device is to be set, and how it says it is.
type Config struct {
	Device devices.ID `json:"device"`
	// Version numbers Desired from 1 on; 0: none was ever given.
	Version int64           `json:"version"`
	Desired json.RawMessage `json:"desired,omitempty"`
	SetBy   string          `json:"set_by,omitempty"`
	Why     string          `json:"why,omitempty"`
	SetAt   *time.Time      `json:"set_at,omitempty"`
	// Published says that the broker has this version.
	Published bool `json:"published"`
	// ReportedVersion is what the device applied; missing while it never said.
	ReportedVersion *int64          `json:"reported_version,omitempty"`
	Reported        json.RawMessage `json:"reported,omitempty"`
	ReportedAt      *time.Time      `json:"reported_at,omitempty"`
	Firmware        string          `json:"firmware,omitempty"`
	// Error is why the device did not apply it, in its words.
	Error string `json:"error,omitempty"`
	// InSync says that the device applied what is desired.
	InSync bool `json:"in_sync"`
}

// maxConfig bounds a configuration in bytes.
const maxConfig = 8 << 10

// Config is a device's configuration; of one that has none, version 0.
func (s *Service) Config(ctx context.Context, id devices.ID) (*Config, error) {
	return config(ctx, s.DB, id)
}

func config(ctx context.Context, q querier, id devices.ID) (*Config, error) {
	c := &Config{Device: id}
	var desired, reported string
	var set, at, version sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT version,desired,set_by,why,set_at,published,reported_version,reported,reported_at,firmware,error FROM device_config WHERE device = ?`, string(id)).
		Scan(&c.Version, &desired, &c.SetBy, &c.Why, &set, &c.Published, &version, &reported, &at, &c.Firmware, &c.Error)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read configuration of %s: %w", id, err)
	}
	c.Desired, c.Reported, c.SetAt, c.ReportedAt = raw(desired), raw(reported), moment(set), moment(at)
	if version.Valid {
		c.ReportedVersion = &version.Int64
		c.InSync = *c.ReportedVersion == c.Version && c.Error == ""
	}
	return c, nil
}

func keepConfig(ctx context.Context, tx *sql.Tx, c *Config) error {
	var version any
	if c.ReportedVersion != nil {
		version = *c.ReportedVersion
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO device_config VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(device) DO UPDATE SET
		version=excluded.version, desired=excluded.desired, set_by=excluded.set_by, why=excluded.why, set_at=excluded.set_at, published=excluded.published,
		reported_version=excluded.reported_version, reported=excluded.reported, reported_at=excluded.reported_at, firmware=excluded.firmware, error=excluded.error`,
		string(c.Device), c.Version, string(c.Desired), c.SetBy, c.Why, millis(c.SetAt), c.Published, version, string(c.Reported), millis(c.ReportedAt), c.Firmware, c.Error)
	if err != nil {
		return fmt.Errorf("keep configuration of %s: %w", c.Device, err)
	}
	return nil
}

// Configure says how a device is to be set: a JSON object, without secrets, for
// it is kept in the audit log. after, if it is not nil, is the version that it
// follows; devices.ErrConflict says that somebody was faster.
func (s *Service) Configure(ctx context.Context, dev *devices.Device, desired json.RawMessage, after *int64, who, why string) (*Config, error) {
	switch {
	case len(desired) > maxConfig:
		return nil, &devices.FieldError{Field: "desired", Reason: fmt.Sprintf("at most %d bytes", maxConfig)}
	case !isObject(desired):
		return nil, &devices.FieldError{Field: "desired", Reason: "a configuration is a JSON object"}
	case len(why) > maxWhy:
		return nil, &devices.FieldError{Field: "why", Reason: fmt.Sprintf("at most %d bytes", maxWhy)}
	}
	var c *Config
	err := s.change(ctx, func(tx *sql.Tx) (err error) {
		if c, err = config(ctx, tx, dev.ID); err != nil {
			return err
		}
		if after != nil && *after != c.Version {
			return fmt.Errorf("the configuration is at version %d, not %d; look at it again: %w", c.Version, *after, devices.ErrConflict)
		}
		now, before := time.Now().UTC().Truncate(time.Millisecond), c.Desired
		c.Version, c.Desired, c.SetBy, c.Why, c.SetAt, c.Published, c.InSync, c.Error = c.Version+1, desired, who, why, &now, false, false, ""
		if err := keepConfig(ctx, tx, c); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "device.configure", Kind: "device", ID: string(dev.ID), Before: before, After: desired, Why: why})
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs[dev.ID] = struct{}{}
	s.nudge()
	return c, nil
}

// sendConfigs publishes configurations that the broker does not have, retained.
func (s *Service) sendConfigs(ctx context.Context) error {
	s.mu.Lock()
	var ids []devices.ID
	for id := range s.configs {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		c, err := s.Config(ctx, id)
		if err != nil {
			return err
		}
		payload, err := json.Marshal(struct {
			Version int64           `json:"version"`
			Config  json.RawMessage `json:"config"`
		}{c.Version, c.Desired})
		if err != nil {
			return err
		}
		if err := s.publish(ctx, topicRoot+string(id)+"/config", true, payload); err != nil {
			return err
		}
		var newest bool
		err = s.change(ctx, func(tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, `UPDATE device_config SET published = 1 WHERE device = ? AND version = ?`, string(id), c.Version)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			newest = n > 0
			return err
		})
		if err != nil {
			return err
		}
		if newest { // else it was set anew meanwhile
			s.mu.Lock()
			delete(s.configs, id)
			s.mu.Unlock()
		}
	}
	return nil
}

// report is what a device says of its configuration.
type report struct {
	Version  int64           `json:"version"`
	Config   json.RawMessage `json:"config"`
	Firmware string          `json:"firmware"`
	Error    string          `json:"error"`
}

func (s *Service) takeReport(ctx context.Context, tx *sql.Tx, a Answer, firmware map[devices.ID]string) error {
	var r report
	if err := decodeAnswer(a.Payload, &r); err != nil {
		return err
	}
	c, err := config(ctx, tx, a.Device)
	if err != nil {
		return err
	}
	if r.Version < 0 || r.Version > c.Version {
		return &devices.FieldError{Field: "version", Reason: fmt.Sprintf("device %s was given configurations up to version %d, not %d", a.Device, c.Version, r.Version)}
	}
	at := a.At.UTC().Truncate(time.Millisecond)
	c.ReportedVersion, c.Reported, c.ReportedAt, c.Error = &r.Version, r.Config, &at, cut(r.Error)
	if r.Firmware != "" {
		c.Firmware = cut(r.Firmware)
		firmware[a.Device] = c.Firmware
	}
	return keepConfig(ctx, tx, c)
}
