package areas

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Audit keeps who changed what; audit.Log is one.
type Audit interface {
	Append(ctx context.Context, tx *sql.Tx, e audit.Entry) error
}

// Store keeps areas in SQLite, and all of them in memory to be asked.
type Store struct {
	db    *sql.DB
	audit Audit
	write sync.Mutex // one import at a time
	now   atomic.Pointer[index]
	lies  atomic.Pointer[lies]
}

// Open brings the tables up to date and loads them. Tables without any area get
// those that ship with the program.
func Open(ctx context.Context, db *sql.DB, log Audit) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := statedb.Migrate(ctx, db, files, "areas_version"); err != nil {
		return nil, err
	}
	s := &Store{db: db, audit: log}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	if len(s.now.Load().all) > 0 {
		return s, nil
	}
	return s, s.ship(ctx)
}

// Apply does what a preview of the same file showed. The token is the
// preview's: when the areas or the file are others since, it is
// devices.ErrConflict and nothing is done. A file with errors is a FieldError.
func (s *Store) Apply(ctx context.Context, file []byte, token string) (*Preview, error) {
	s.write.Lock()
	defer s.write.Unlock()
	p, edits := s.now.Load().preview(file)
	if p.ErrorCount > 0 {
		return p, p.Errors[0].Err()
	}
	if token != p.Token {
		return p, fmt.Errorf("the areas or the file have changed since the preview; look at a new one: %w", devices.ErrConflict)
	}
	return p, s.put(ctx, edits, s.audit)
}

// put writes edits, all or none, and shows them.
func (s *Store) put(ctx context.Context, edits []edit, log Audit) error {
	if len(edits) == 0 {
		return nil
	}
	// A border takes long to write down; nobody else can write meanwhile.
	borders := make([][]byte, len(edits))
	for i, e := range edits {
		if e.after.Geometry == nil {
			continue
		}
		var err error
		if borders[i], err = wkb.Marshal(e.after.Geometry); err != nil {
			return fmt.Errorf("keep area %s: %w", e.after.Ref(), err)
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("import areas: %w", err)
	}
	defer tx.Rollback()
	old := s.now.Load()
	r, err := tx.ExecContext(ctx, `UPDATE area_revision SET n = n + 1 WHERE n = ?`, old.revision)
	if err != nil {
		return fmt.Errorf("import areas: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("another program has changed the areas: %w", devices.ErrConflict)
	}
	for i, e := range edits {
		if err := save(ctx, tx, e.after, borders[i]); err != nil {
			return err
		}
		if log == nil {
			continue
		}
		entry := audit.Entry{Action: "area.create", Kind: "area", ID: e.after.Ref().String(), After: e.after.record()}
		if e.before != nil {
			entry.Action, entry.Before = "area.update", e.before.record()
		}
		if err := log.Append(ctx, tx, entry); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("import areas: %w", err)
	}
	s.now.Store(newIndex(old.with(edits), old.revision+1))
	return nil
}

func save(ctx context.Context, tx *sql.Tx, v *Version, border []byte) error {
	var lat, lon *float64
	if v.Centre != nil {
		lat, lon = &v.Centre.Lat, &v.Centre.Lon
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO area(code,valid_from,valid_to,name,name_en,type,parent,source,lat,lon,geometry) VALUES(?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT(code,valid_from) DO UPDATE SET valid_to=excluded.valid_to,name=excluded.name,name_en=excluded.name_en,type=excluded.type,
		parent=excluded.parent,source=excluded.source,lat=excluded.lat,lon=excluded.lon,geometry=excluded.geometry`,
		v.Code, string(v.ValidFrom), string(v.ValidTo), v.Name, v.NameEN, string(v.Type), v.Parent, v.Source, lat, lon, border)
	if err != nil {
		return fmt.Errorf("keep area %s: %w", v.Ref(), err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM succession WHERE new = ? AND new_from = ?`, v.Code, string(v.ValidFrom)); err != nil {
		return fmt.Errorf("keep area %s: %w", v.Ref(), err)
	}
	for i, p := range v.Predecessors {
		if _, err := tx.ExecContext(ctx, `INSERT INTO succession(new,new_from,old,share,kind,place) VALUES(?,?,?,?,?,?)`,
			v.Code, string(v.ValidFrom), p.Code, p.Share, p.Kind, i); err != nil {
			return fmt.Errorf("keep area %s: %w", v.Ref(), err)
		}
	}
	return nil
}

// load reads all versions into memory.
func (s *Store) load(ctx context.Context) error {
	var revision int64
	if err := s.db.QueryRowContext(ctx, `SELECT n FROM area_revision`).Scan(&revision); err != nil {
		return fmt.Errorf("load areas: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT code,valid_from,valid_to,name,name_en,type,parent,source,lat,lon,geometry FROM area`)
	if err != nil {
		return fmt.Errorf("load areas: %w", err)
	}
	defer rows.Close()
	var all []*Version
	by := map[Ref]*Version{}
	for rows.Next() {
		v := &Version{}
		var lat, lon sql.NullFloat64
		var border []byte
		if err := rows.Scan(&v.Code, &v.ValidFrom, &v.ValidTo, &v.Name, &v.NameEN, &v.Type, &v.Parent, &v.Source, &lat, &lon, &border); err != nil {
			return fmt.Errorf("load areas: %w", err)
		}
		if lat.Valid && lon.Valid {
			v.Centre = &devices.Position{Lat: lat.Float64, Lon: lon.Float64}
		}
		if len(border) > 0 {
			g, err := wkb.Unmarshal(border)
			if err != nil {
				return fmt.Errorf("load the border of area %s: %w", v.Ref(), err)
			}
			v.Geometry, _ = g.(orb.MultiPolygon)
		}
		all, by[v.Ref()] = append(all, v), v
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load areas: %w", err)
	}
	if err := s.loadSuccession(ctx, by); err != nil {
		return err
	}
	s.now.Store(newIndex(all, revision))
	return nil
}

func (s *Store) loadSuccession(ctx context.Context, by map[Ref]*Version) error {
	rows, err := s.db.QueryContext(ctx, `SELECT new,new_from,old,share,kind FROM succession ORDER BY new,new_from,place`)
	if err != nil {
		return fmt.Errorf("load areas: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r Ref
		var p Predecessor
		if err := rows.Scan(&r.Code, &r.From, &p.Code, &p.Share, &p.Kind); err != nil {
			return fmt.Errorf("load areas: %w", err)
		}
		if v := by[r]; v != nil {
			v.Predecessors = append(v.Predecessors, p)
		}
	}
	return rows.Err()
}
