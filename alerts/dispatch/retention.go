package dispatch

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"haidang/devices/personal"
)

// ForgetReport hides what orders about a report have of the person who made it,
// in the transaction that anonymises the report.
func (s *Service) ForgetReport(ctx context.Context, tx *sql.Tx, report string, hide func(string) string, private bool) error {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM work_order WHERE json_extract(body,'$.report') = ?`, report)
	if err != nil {
		return fmt.Errorf("find orders of a report: %w", err)
	}
	var ids []string
	for rows.Next() {
		var id string
		if err = rows.Scan(&id); err != nil {
			break
		}
		ids = append(ids, id)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		return fmt.Errorf("find orders of a report: %w", err)
	}
	for _, id := range ids {
		w, err := s.get(ctx, tx, id)
		if err != nil {
			return err
		}
		w.forget(hide, private)
		body, err := json.Marshal(w)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE work_order SET body = ? WHERE id = ?`, string(body), id); err != nil {
			return fmt.Errorf("keep work order: %w", err)
		}
		if err := s.log.Redact(ctx, tx, Channel, id, w); err != nil {
			return err
		}
	}
	return nil
}

func (w *WorkOrder) forget(hide func(string) string, private bool) {
	place := func(degrees **float64) {
		if private && *degrees != nil {
			x := personal.Place(**degrees)
			*degrees = &x
		}
	}
	w.Title, w.Instructions = hide(w.Title), hide(w.Instructions)
	place(&w.Lat)
	place(&w.Lon)
	for i := range w.Timeline {
		e := &w.Timeline[i]
		e.Text = hide(e.Text)
		place(&e.Lat)
		place(&e.Lon)
	}
}

// PhotosInUse are the photos of all orders.
func (s *Service) PhotosInUse(ctx context.Context) (map[string]bool, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT p.value FROM work_order w, json_each(w.body, '$.photos') p
		UNION SELECT DISTINCT p.value FROM work_order w, json_each(w.body, '$.timeline') e, json_each(e.value, '$.photos') p`)
	if err != nil {
		return nil, fmt.Errorf("list photos of work orders: %w", err)
	}
	defer rows.Close()
	used := map[string]bool{}
	for rows.Next() {
		var sha string
		if err := rows.Scan(&sha); err != nil {
			return nil, fmt.Errorf("list photos of work orders: %w", err)
		}
		used[sha] = true
	}
	return used, rows.Err()
}
