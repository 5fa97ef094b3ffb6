package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Filter narrows a list. Zero members do not.
type Filter struct {
	State State
	Crew  string
	// Active leaves out what ended before Since.
	Active bool
	Since  time.Time
	Limit  int   // at most 1,000; 0 means 200
	Before int64 // continue below this cursor
}

// List returns work orders, newest first; next is 0 at the end.
func (s *Service) List(ctx context.Context, f Filter) (ws []*WorkOrder, next int64, err error) {
	where, args := "1", []any{}
	if f.State != "" {
		where, args = where+" AND state = ?", append(args, f.State)
	}
	if f.Crew != "" {
		where, args = where+" AND crew = ?", append(args, f.Crew)
	}
	if f.Active {
		where, args = where+" AND (state IN ('offered','accepted','en_route','on_scene') OR updated_at >= ?)", append(args, f.Since.UnixMilli())
	}
	if f.Limit <= 0 || f.Limit > 1000 {
		f.Limit = 200
	}
	if f.Before > 0 {
		where, args = where+" AND rowid < ?", append(args, f.Before)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT body, rowid FROM work_order WHERE `+where+` ORDER BY rowid DESC LIMIT ?`, append(args, f.Limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list work orders: %w", err)
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		var body string
		var rowid int64
		if err := rows.Scan(&body, &rowid); err != nil {
			return nil, 0, err
		}
		if len(ws) == f.Limit {
			return ws, last, nil
		}
		w := &WorkOrder{}
		if err := json.Unmarshal([]byte(body), w); err != nil {
			return nil, 0, fmt.Errorf("read work order: %w", err)
		}
		ws, last = append(ws, w), rowid
	}
	return ws, 0, rows.Err()
}

// Counts says how many work orders are in each state.
func (s *Service) Counts(ctx context.Context) (map[State]int, error) {
	by := map[State]int{Offered: 0, Accepted: 0, EnRoute: 0, OnScene: 0}
	rows, err := s.db.QueryContext(ctx, `SELECT state, count(*) FROM work_order GROUP BY state`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var st State
		var n int
		if err := rows.Scan(&st, &n); err != nil {
			return nil, err
		}
		by[st] = n
	}
	return by, rows.Err()
}
