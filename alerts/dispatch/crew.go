package dispatch

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"haidang/devices"
)

//go:embed crews.yaml
var crewsYAML []byte

// Crew is a team in the field.
type Crew struct {
	ID       string `yaml:"id" json:"id"`
	Name     string `yaml:"name" json:"name"`
	CallSign string `yaml:"call_sign" json:"call_sign"`
	// Lat and Lon are where it was last, at first its base.
	Lat        float64    `yaml:"lat" json:"lat"`
	Lon        float64    `yaml:"lon" json:"lon"`
	PositionAt *time.Time `yaml:"-" json:"position_at,omitempty"`
	// State is "available", or "busy" while it has active work orders.
	State      string `yaml:"-" json:"state"`
	WorkOrders int    `yaml:"-" json:"work_orders"`
}

func shippedCrews() ([]Crew, error) {
	var cs []Crew
	if err := yaml.NewDecoder(bytes.NewReader(crewsYAML), yaml.Strict()).Decode(&cs); err != nil {
		return nil, fmt.Errorf("read crews: %w", err)
	}
	return cs, nil
}

// Crews returns all crews, where they are and what they have to do.
func (s *Service) Crews(ctx context.Context) ([]Crew, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT crew, lat, lon, at FROM crew_position`)
	if err != nil {
		return nil, fmt.Errorf("list crews: %w", err)
	}
	defer rows.Close()
	cs := append([]Crew(nil), s.crews...)
	for rows.Next() {
		var id string
		var lat, lon float64
		var at int64
		if err := rows.Scan(&id, &lat, &lon, &at); err != nil {
			return nil, err
		}
		for i := range cs {
			if cs[i].ID == id {
				t := time.UnixMilli(at).UTC()
				cs[i].Lat, cs[i].Lon, cs[i].PositionAt = lat, lon, &t
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range cs {
		err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM work_order WHERE crew = ? AND state IN ('offered','accepted','en_route','on_scene')`, cs[i].ID).Scan(&cs[i].WorkOrders)
		if err != nil {
			return nil, fmt.Errorf("count work orders: %w", err)
		}
		cs[i].State = "available"
		if cs[i].WorkOrders > 0 {
			cs[i].State = "busy"
		}
	}
	return cs, nil
}

func (s *Service) crew(id string) (Crew, bool) {
	for _, c := range s.crews {
		if c.ID == id {
			return c, true
		}
	}
	return Crew{}, false
}

// SetPosition notes where a crew was at a time; an older fix changes nothing.
// A phone's clock that is ahead counts as now: it must not freeze its crew.
func (s *Service) SetPosition(ctx context.Context, id string, p devices.Position, at time.Time) error {
	if _, ok := s.crew(id); !ok {
		return fmt.Errorf("crew %.40s: %w", id, devices.ErrNotFound)
	}
	if err := checkPlace(&p.Lat, &p.Lon); err != nil {
		return err
	}
	if now := time.Now(); at.IsZero() || at.After(now) {
		at = now
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO crew_position(crew,lat,lon,at) VALUES(?,?,?,?)
		ON CONFLICT(crew) DO UPDATE SET lat=excluded.lat, lon=excluded.lon, at=excluded.at WHERE excluded.at >= at`, id, p.Lat, p.Lon, at.UnixMilli())
	if err != nil {
		return fmt.Errorf("keep crew's position: %w", err)
	}
	return nil
}
