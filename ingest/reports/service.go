package reports

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
	"haidang/ingest/media"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Channel is the reports' channel in the log of changes.
const Channel = "reports"

// Service takes reports in and brings them to an answer.
type Service struct {
	db         *sql.DB
	log        *changelog.Log
	audit      *audit.Log
	media      *media.Store
	agencies   Agencies
	areas      Areas
	categories []Category
	prefix     string
	forgets    []Forgets
}

// Agencies finds agencies; devices.Registry does.
type Agencies interface {
	Agency(id string) (devices.Agency, bool)
}

// Options are what a Service asks of others.
type Options struct {
	Agencies Agencies
	// Areas may be nil: reports then keep no area.
	Areas Areas
	// Prefix begins each tracking code.
	Prefix string
}

// New brings the tables up to date.
func New(ctx context.Context, db *sql.DB, log *changelog.Log, m *media.Store, o Options) (*Service, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "reports_version"); err != nil {
		return nil, err
	}
	trail, err := audit.Open(ctx, db)
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, log: log, audit: trail, media: m, prefix: o.Prefix, agencies: o.Agencies, areas: o.Areas}
	if s.categories, err = shippedCategories(); err != nil {
		return nil, err
	}
	if err := errors.Join(s.fillSearch(ctx), s.fillAreas(ctx)); err != nil {
		return nil, err
	}
	return s, nil
}

// Categories lists the kinds of report.
func (s *Service) Categories() []Category { return s.categories }

// HasCategory says whether there is a kind of report of that id.
func (s *Service) HasCategory(id string) bool {
	return slices.ContainsFunc(s.categories, func(c Category) bool { return c.ID == id })
}

// Submit takes a report in. created is false when the same one was taken
// before: it is returned as it stands.
func (s *Service) Submit(ctx context.Context, sub Submission) (r *Report, created bool, err error) {
	if err := sub.check(s.categories); err != nil {
		return nil, false, err
	}
	identity := sub.identity()
	r, err = s.byIdentity(ctx, identity)
	if err == nil && !sub.tells(r) {
		// Another's number, or this one's text after it was changed: to show what
		// has it would tell whoever guesses it, and drop what is said now.
		identity = sub.ownIdentity()
		r, err = s.byIdentity(ctx, identity)
	}
	if err == nil || !errors.Is(err, devices.ErrNotFound) {
		return r, false, err
	}
	shas := make([]string, 0, len(sub.Photos))
	for i, p := range sub.Photos {
		sha, err := s.media.Put(bytes.NewReader(p))
		if fe, ok := errors.AsType[*devices.FieldError](err); ok {
			return nil, false, &devices.FieldError{Field: fmt.Sprintf("photos[%d]", i), Reason: fe.Reason}
		}
		if err != nil {
			return nil, false, err
		}
		shas = append(shas, sha)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	code := newCode(s.prefix)
	photos, _ := json.Marshal(shas)
	timeline, _ := json.Marshal([]Step{{At: now, State: Received}})
	area := s.locate(sub.Lat, sub.Lon, now)
	err = s.change(ctx, code, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO report(code,client_id,state,category,description,lat,lon,address,agency,channel,phone,reporter,photos,timeline,created_at,updated_at,search,area,area_version)
			VALUES(?,?,?,?,?,?,?,?,'',?,?,?,?,?,?,?,?,?,?)`, code, identity, Received, sub.Category, sub.Description, sub.Lat, sub.Lon, sub.Address,
			sub.Channel, sub.Phone, sub.Name, string(photos), string(timeline), now.UnixMilli(), now.UnixMilli(),
			searchText(code, s.category(sub.Category).Name.VI, sub.Description, sub.Address), area.Code, area.String())
		return err
	})
	if err != nil {
		// Two copies at once: the other one won.
		if r, err := s.byIdentity(ctx, identity); err == nil {
			return r, false, nil
		}
		return nil, false, fmt.Errorf("keep report: %w", err)
	}
	r, err = s.Get(ctx, code)
	return r, true, err
}

// TakeMQTT takes a report in the JSON form, as published on ioc/v1/reports.
func (s *Service) TakeMQTT(ctx context.Context, payload []byte) error {
	sub, err := ParseSubmission(payload)
	if err != nil {
		return err
	}
	sub.Channel = "mqtt"
	_, _, err = s.Submit(ctx, sub)
	return err
}

func (s *Service) byIdentity(ctx context.Context, identity *string) (*Report, error) {
	if identity == nil {
		return nil, devices.ErrNotFound
	}
	return s.one(ctx, s.db, `client_id = ?`, *identity)
}

// Get returns a report by its tracking code, as people type it.
func (s *Service) Get(ctx context.Context, code string) (*Report, error) {
	return s.one(ctx, s.db, `code = ?`, readCode(s.prefix, code))
}

// change runs fn in a transaction and numbers the report's new state in it.
func (s *Service) change(ctx context.Context, code string, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	r, err := s.one(ctx, tx, `code = ?`, code)
	if err != nil {
		return err
	}
	seq, err := s.log.Append(ctx, tx, Channel, code, r)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE report SET seq = ? WHERE code = ?`, seq, code); err != nil {
		return fmt.Errorf("number report %s: %w", code, err)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.log.Publish(Channel)
	return nil
}
