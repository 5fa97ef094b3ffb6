package reports

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/personal"
)

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

const columns = `code,state,category,description,lat,lon,address,agency,channel,phone,reporter,photos,timeline,created_at,updated_at,answered_at,seq,ifnull(area,''),ifnull(area_version,''),anonymised_at,rowid`

func (s *Service) one(ctx context.Context, q querier, where string, args ...any) (*Report, error) {
	r, _, err := s.scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM report WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("report: %w", devices.ErrNotFound)
	}
	return r, err
}

func (s *Service) scan(row interface{ Scan(...any) error }) (*Report, int64, error) {
	var r Report
	var phone, reporter, photos, timeline string
	var created, updated, rowid int64
	var answered, anonymised sql.NullInt64
	if err := row.Scan(&r.Code, &r.State, &r.Category, &r.Description, &r.Lat, &r.Lon, &r.Address, &r.Agency, &r.Channel,
		&phone, &reporter, &photos, &timeline, &created, &updated, &answered, &r.Seq, &r.Area, &r.AreaVersion, &anonymised, &rowid); err != nil {
		return nil, 0, err
	}
	var shas []string
	if err := errors.Join(json.Unmarshal([]byte(photos), &shas), json.Unmarshal([]byte(timeline), &r.Timeline)); err != nil {
		return nil, 0, fmt.Errorf("read report %s: %w", r.Code, err)
	}
	r.Photos = make([]Photo, 0, len(shas))
	for _, sha := range shas {
		r.Photos = append(r.Photos, Photo{sha, "/media/" + sha + ".jpg"})
	}
	r.CreatedAt, r.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	if answered.Valid {
		t := time.UnixMilli(answered.Int64).UTC()
		r.AnsweredAt = &t
	}
	if anonymised.Valid {
		t := time.UnixMilli(anonymised.Int64).UTC()
		r.AnonymisedAt = &t
	}
	agency, _ := s.agencies.Agency(r.Agency)
	c := s.category(r.Category)
	r.AgencyName, r.CategoryName = agency.Name, c.Name
	r.PhoneMasked, r.ReporterMasked, r.Description = personal.Phone(phone), personal.PersonName(reporter), personal.Text(r.Description)
	if c.Private {
		r.Address = personal.Address(r.Address)
		if r.Lat != nil && r.Lon != nil {
			lat, lon := personal.Place(*r.Lat), personal.Place(*r.Lon)
			r.Lat, r.Lon, r.Approximate = &lat, &lon, true
		}
	}
	return &r, rowid, nil
}

// Filter narrows a list. Zero members do not.
type Filter struct {
	State  State
	Agency string
	// Query is searched in code, category, description and address, without
	// case and accents.
	Query string
	// Open leaves out what is refused, or answered before Since.
	Open   bool
	Since  time.Time
	Limit  int   // at most 1,000; 0 means 100
	Before int64 // continue below this cursor
}

// List returns reports, newest first; next is 0 at the end.
func (s *Service) List(ctx context.Context, f Filter) (items []*Report, next int64, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	where, args := []string{"1"}, []any{}
	if f.State != "" && !slices.Contains(states, f.State) {
		return nil, 0, &devices.FieldError{Field: "state", Reason: fmt.Sprintf("%.40q is no state of a report; these are: %v", f.State, states)}
	}
	if f.Agency != "" {
		where, args = append(where, "agency = ?"), append(args, f.Agency)
	}
	if q := strings.TrimSpace(devices.Fold(f.Query)); q != "" {
		where, args = append(where, "instr(search, ?) > 0"), append(args, q)
	}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, f.State)
	}
	if f.Open {
		where, args = append(where, "(state NOT IN ('refused','answered') OR updated_at >= ?)"), append(args, f.Since.UnixMilli())
	}
	if f.Before > 0 {
		where, args = append(where, "rowid < ?"), append(args, f.Before)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM report WHERE `+strings.Join(where, " AND ")+` ORDER BY rowid DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list reports: %w", err)
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		r, rowid, err := s.scan(rows)
		if err != nil {
			return nil, 0, err
		}
		if len(items) == limit {
			return items, last, nil
		}
		items, last = append(items, r), rowid
	}
	return items, 0, rows.Err()
}

// Counts says how many reports are in each state, and which has waited longest
// for its answer.
func (s *Service) Counts(ctx context.Context) (byState map[State]int, oldest *Report, err error) {
	byState = map[State]int{Received: 0, Accepted: 0, Refused: 0, Assigned: 0, Answered: 0}
	rows, err := s.db.QueryContext(ctx, `SELECT state, count(*) FROM report GROUP BY state`)
	if err != nil {
		return nil, nil, fmt.Errorf("count reports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var st State
		var n int
		if err := rows.Scan(&st, &n); err != nil {
			return nil, nil, err
		}
		byState[st] = n
	}
	oldest, err = s.one(ctx, s.db, `state IN ('received','accepted','assigned') ORDER BY created_at LIMIT 1`)
	if errors.Is(err, devices.ErrNotFound) {
		return byState, nil, nil
	}
	return byState, oldest, err
}
