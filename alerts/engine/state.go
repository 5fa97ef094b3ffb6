package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"haidang/alerts"
	"haidang/devices"
	"haidang/ingest"
)

// stateStore keeps what the engine remembers beside the alerts.
type stateStore struct{ store *alerts.Store }

func (s *stateStore) load(ctx context.Context, into map[memoryKey]*memory) (pos ingest.Pos, err error) {
	tx, err := s.store.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(pos),0) FROM engine_cursor`).Scan(&pos); err != nil {
		return 0, fmt.Errorf("read engine's place: %w", err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT rule, device, body FROM engine_state`)
	if err != nil {
		return 0, fmt.Errorf("read engine's state: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k memoryKey
		var body string
		if err := rows.Scan(&k.rule, &k.device, &body); err != nil {
			return 0, err
		}
		m := &memory{}
		if err := json.Unmarshal([]byte(body), m); err != nil {
			return 0, fmt.Errorf("engine's state of %s at %s: %w", k.rule, k.device, err)
		}
		into[k] = m
	}
	return pos, rows.Err()
}

func (s *stateStore) save(ctx context.Context, tx *sql.Tx, pos ingest.Pos, all map[memoryKey]*memory, dirty map[memoryKey]struct{}) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM engine_cursor`); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO engine_cursor(pos) VALUES(?)`, int64(pos)); err != nil {
		return err
	}
	for k := range dirty {
		body, err := json.Marshal(all[k])
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO engine_state(rule,device,body) VALUES(?,?,?)
			ON CONFLICT(rule,device) DO UPDATE SET body=excluded.body`, k.rule, string(k.device), string(body)); err != nil {
			return fmt.Errorf("save state of %s at %s: %w", k.rule, k.device, err)
		}
	}
	return nil
}

// mergeAck takes over an acknowledgement that was made after the engine read
// the alert.
func mergeAck(ctx context.Context, s *alerts.Store, tx *sql.Tx, a *alerts.Alert) error {
	now, err := s.GetIn(ctx, tx, a.ID)
	if errors.Is(err, devices.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	a.AckedAt, a.AckedBy, a.AckNote = now.AckedAt, now.AckedBy, now.AckNote
	return nil
}
