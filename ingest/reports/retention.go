package reports

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/personal"
)

// Expiry says of which reports something goes: those that were closed, refused
// or answered, before a time.
type Expiry struct {
	Before time.Time
	// Held says whether something keeps a report whole. It may be nil.
	Held func(code, area string, made time.Time) bool
}

// Expired is a report of which something goes.
type Expired struct {
	Code   string
	Closed time.Time
	Photos []string // SHA-256
}

// Forgets is somebody else who keeps what tells a person of a report: it hides
// that too, in the same transaction. hide does so in a text; private says that
// the exact place goes.
type Forgets func(ctx context.Context, tx *sql.Tx, code string, hide func(string) string, private bool) error

// ForgetToo has others hide what they have of a report when it is anonymised.
// It is to be called before reports are.
func (s *Service) ForgetToo(f Forgets) { s.forgets = append(s.forgets, f) }

const closed = `state IN ('refused','answered') AND updated_at < ?`

// ToAnonymise lists the reports whose personal data is old enough to go.
func (s *Service) ToAnonymise(ctx context.Context, x Expiry) ([]Expired, error) {
	return s.expiring(ctx, x, `anonymised_at IS NULL AND `+closed)
}

// PhotosToRemove lists the reports whose photos are old enough to go.
func (s *Service) PhotosToRemove(ctx context.Context, x Expiry) ([]Expired, error) {
	return s.expiring(ctx, x, `photos <> '[]' AND `+closed)
}

func (s *Service) expiring(ctx context.Context, x Expiry, where string) (out []Expired, err error) {
	if x.Before.IsZero() {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT code, ifnull(area,''), created_at, updated_at, photos FROM report WHERE `+where+` ORDER BY rowid`, x.Before.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("find old reports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Expired
		var area, photos string
		var made, ended int64
		if err := rows.Scan(&e.Code, &area, &made, &ended, &photos); err != nil {
			return nil, fmt.Errorf("find old reports: %w", err)
		}
		if x.Held != nil && x.Held(e.Code, area, time.UnixMilli(made).UTC()) {
			continue
		}
		if err := json.Unmarshal([]byte(photos), &e.Photos); err != nil {
			return nil, fmt.Errorf("read report %s: %w", e.Code, err)
		}
		e.Closed = time.UnixMilli(ended).UTC()
		out = append(out, e)
	}
	return out, rows.Err()
}

// Anonymise takes out of a report what tells a person: name, phone and the
// sender's own number go; numbers of phones, plates and houses, and the
// reporter's name, are hidden in its texts; the place of what is often a home is
// kept to a kilometre. What counts, of what kind, where and when, stays. One
// that was opened again, or is held by now, is left; it says whether it did.
func (s *Service) Anonymise(ctx context.Context, code string, x Expiry) (done bool, err error) {
	err = s.expire(ctx, code, `anonymised_at IS NULL`, x, "report.anonymise", func(tx *sql.Tx) error {
		var category, description, address, reporter, timeline string
		var lat, lon *float64
		err := tx.QueryRowContext(ctx, `SELECT category,description,address,reporter,timeline,lat,lon FROM report WHERE code=?`, code).Scan(&category, &description, &address, &reporter, &timeline, &lat, &lon)
		if err != nil {
			return err
		}
		hide := hider(reporter)
		var steps []Step
		if err := json.Unmarshal([]byte(timeline), &steps); err != nil {
			return err
		}
		for i := range steps {
			steps[i].Text = hide(steps[i].Text)
		}
		line, err := json.Marshal(steps)
		if err != nil {
			return err
		}
		c := s.category(category)
		if c.Private && lat != nil && lon != nil {
			a, o := personal.Place(*lat), personal.Place(*lon)
			lat, lon = &a, &o
		}
		description, address = hide(description), personal.Address(hide(address))
		if _, err := tx.ExecContext(ctx, `UPDATE report SET phone='', reporter='', client_id=NULL, description=?, address=?, lat=?, lon=?, timeline=?, search=?, anonymised_at=? WHERE code=?`,
			description, address, lat, lon, string(line), searchText(code, c.Name.VI, description, address), time.Now().UnixMilli(), code); err != nil {
			return err
		}
		for _, f := range s.forgets {
			if err := f(ctx, tx, code, hide, c.Private); err != nil {
				return err
			}
		}
		done = true
		return nil
	})
	if errors.Is(err, errKept) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("anonymise report %s: %w", code, err)
	}
	return done, nil
}

// RemovePhotos takes the photos out of a report; their files are others' to
// remove. One that was opened again, or is held by now, is left.
func (s *Service) RemovePhotos(ctx context.Context, code string, x Expiry) (done bool, err error) {
	err = s.expire(ctx, code, `photos <> '[]'`, x, "report.remove_photos", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE report SET photos='[]' WHERE code=?`, code)
		done = err == nil
		return err
	})
	if errors.Is(err, errKept) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove the photos of report %s: %w", code, err)
	}
	return done, nil
}

var errKept = errors.New("this report stays as it is")

// expire changes a report that is old enough still, and has its earlier changes
// show no more than what is left.
func (s *Service) expire(ctx context.Context, code, where string, x Expiry, action string, fn func(*sql.Tx) error) error {
	return s.change(ctx, code, func(tx *sql.Tx) error {
		var area string
		var made int64
		err := tx.QueryRowContext(ctx, `SELECT ifnull(area,''), created_at FROM report WHERE code=? AND `+where+` AND `+closed, code, x.Before.UnixMilli()).Scan(&area, &made)
		if errors.Is(err, sql.ErrNoRows) || err == nil && x.Held != nil && x.Held(code, area, time.UnixMilli(made).UTC()) {
			return errKept
		}
		if err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		r, err := s.one(ctx, tx, `code = ?`, code)
		if err != nil {
			return err
		}
		if err := s.log.Redact(ctx, tx, Channel, code, r); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: action, Kind: "report", ID: code})
	})
}

// hider hides numbers of phones and plates, and a person's name, in texts.
func hider(name string) func(string) string {
	words := strings.Fields(name)
	if len(words) < 2 { // a single word may be any
		return personal.Text
	}
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	named, err := regexp.Compile(`(?i)` + strings.Join(words, `\s+`))
	if err != nil {
		return personal.Text
	}
	masked := personal.PersonName(name)
	return func(text string) string { return named.ReplaceAllLiteralString(personal.Text(text), masked) }
}

// PhotosInUse are the photos of all reports but those given.
func (s *Service) PhotosInUse(ctx context.Context, but []Expired) (map[string]bool, error) {
	gone := map[string]bool{}
	for _, e := range but {
		gone[e.Code] = true
	}
	rows, err := s.db.QueryContext(ctx, `SELECT code, photos FROM report WHERE photos <> '[]'`)
	if err != nil {
		return nil, fmt.Errorf("list photos of reports: %w", err)
	}
	defer rows.Close()
	used := map[string]bool{}
	for rows.Next() {
		var code, photos string
		var shas []string
		if err := rows.Scan(&code, &photos); err != nil {
			return nil, fmt.Errorf("list photos of reports: %w", err)
		}
		if gone[code] {
			continue
		}
		if err := json.Unmarshal([]byte(photos), &shas); err != nil {
			return nil, fmt.Errorf("read report %s: %w", code, err)
		}
		for _, sha := range shas {
			used[sha] = true
		}
	}
	return used, rows.Err()
}

// Code is a report's code as it is kept, or devices.ErrNotFound.
func (s *Service) Code(ctx context.Context, typed string) (string, error) {
	code := readCode(s.prefix, typed)
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM report WHERE code = ?`, code).Scan(&n); err != nil {
		return "", fmt.Errorf("find report: %w", err)
	}
	if n == 0 {
		return "", fmt.Errorf("report: %w", devices.ErrNotFound)
	}
	return code, nil
}
