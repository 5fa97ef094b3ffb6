package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"

	"haidang/devices"
	"haidang/devices/areas"
)

// areaView is a version of an area as the API shows it.
type areaView struct {
	*areas.Version
	// Ref names the version, as reports and alerts keep it.
	Ref        string            `json:"version"`
	TypeName   areas.Label       `json:"type_name"`
	ParentName string            `json:"parent_name,omitempty"`
	Centre     *devices.Position `json:"centre,omitempty"`
	HasBorder  bool              `json:"has_geometry"`
	// Was is the version of another day by whose name a search found it.
	Was *wasView `json:"was,omitempty"`
}

type wasView struct {
	Ref      string      `json:"version"`
	Name     string      `json:"name"`
	TypeName areas.Label `json:"type_name"`
	ValidTo  areas.Day   `json:"valid_to,omitempty"`
}

func (s *Server) viewArea(v *areas.Version, day areas.Day) areaView {
	a := areaView{Version: v, Ref: v.Ref().String(), TypeName: v.Type.Label(), Centre: v.Place(), HasBorder: v.Geometry != nil}
	if up := s.Areas.Ancestors(v, day); len(up) > 0 {
		a.ParentName = up[0].Name
	}
	return a
}

func (s *Server) viewAreas(vs []*areas.Version, day areas.Day) []areaView {
	views := []areaView{}
	for _, v := range vs {
		views = append(views, s.viewArea(v, day))
	}
	return views
}

// dayParam reads a day, or the day of a time; empty gives today.
func dayParam(v, name string) (areas.Day, error) {
	if v == "" {
		return areas.Today(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return areas.DayOf(t), nil
	}
	day, err := areas.ParseDay(v)
	if err != nil {
		return "", &devices.FieldError{Field: name, Reason: err.Error()}
	}
	return day, nil
}

func (s *Server) listAreas(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := areas.Filter{Query: q.Get("q"), Parent: q.Get("parent"), Top: q.Has("parent") && q.Get("parent") == "", After: q.Get("cursor")}
	var err error
	if f.Day, err = dayParam(q.Get("at"), "at"); err == nil {
		f.Limit, err = intParam(q.Get("limit"), "limit", 200, 1000)
	}
	if t := q.Get("type"); t != "" && err == nil {
		if f.Type, err = areas.ParseType(t); err != nil {
			err = &devices.FieldError{Field: "type", Reason: err.Error()}
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	found, next := s.Areas.List(f)
	items := []areaView{}
	for _, x := range found {
		v := s.viewArea(x.Version, f.Day)
		if x.Was != nil {
			v.Was = &wasView{x.Was.Ref().String(), x.Was.Name, x.Was.Type.Label(), x.Was.ValidTo}
		}
		items = append(items, v)
	}
	s.json(w, http.StatusOK, list{items, next})
}

// border is a geometry of GeoJSON.
type border struct {
	Type        string           `json:"type"`
	Coordinates orb.MultiPolygon `json:"coordinates"`
}

func (s *Server) getArea(w http.ResponseWriter, r *http.Request) {
	day, err := dayParam(r.URL.Query().Get("at"), "at")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v, err := s.Areas.Get(chi.URLParam(r, "code"), day)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, s.detail(v, day))
}

// areaDetail is an area with what is around it.
type areaDetail struct {
	Area       areaView          `json:"area"`
	Geometry   *border           `json:"geometry,omitempty"`
	Ancestors  []areaView        `json:"ancestors"`
	Children   []areaView        `json:"children"`
	Versions   []areaView        `json:"versions"`
	Successors []areas.Successor `json:"successors"`
}

func (s *Server) detail(v *areas.Version, day areas.Day) areaDetail {
	d := areaDetail{Area: s.viewArea(v, day), Ancestors: s.viewAreas(s.Areas.Ancestors(v, day), day), Children: s.viewAreas(s.Areas.Children(v.Code, day), day),
		Versions: s.viewAreas(s.Areas.Versions(v.Code), day), Successors: some(s.Areas.Successors(v))}
	if v.Geometry != nil {
		d.Geometry = &border{"MultiPolygon", v.Geometry}
	}
	return d
}

// findArea says in which area a place lies.
func (s *Server) findArea(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	day, err := dayParam(q.Get("at"), "at")
	var p devices.Position
	if err == nil {
		p.Lat, err = degrees(q.Get("lat"), "lat", 90)
	}
	if err == nil {
		p.Lon, err = degrees(q.Get("lon"), "lon", 180)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v, ok := s.Areas.At(p, day)
	if !ok {
		s.fail(w, r, fmt.Errorf("no area of %s is known to hold latitude %g, longitude %g: %w", day, p.Lat, p.Lon, devices.ErrNotFound))
		return
	}
	s.json(w, http.StatusOK, map[string]any{"area": s.viewArea(v, day), "ancestors": s.viewAreas(s.Areas.Ancestors(v, day), day)})
}

func degrees(v, name string, most float64) (float64, error) {
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || !(math.Abs(x) <= most) {
		return 0, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.20q is no number of degrees from %g to %g", v, -most, most)}
	}
	return x, nil
}

// areaVersion is the version of the area in which a device was at a time: that
// which it is registered in, or for what moves, where it was.
func (s *Server) areaVersion(d *devices.Device, where *devices.Position, at time.Time) string {
	code := s.Registry.AreaAt(d, at)
	if t, ok := s.Registry.Type(d.Type); code != "" && !(ok && t.Mobile) {
		if ref, known := s.Areas.Locate(nil, code, at); known {
			return ref.String()
		}
		if where == nil {
			where = d.Position
		}
	}
	ref, _ := s.Areas.Locate(where, code, at)
	return ref.String()
}
