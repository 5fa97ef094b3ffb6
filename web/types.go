package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
)

type label struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// typeView is a device type as the API shows and takes it.
type typeView struct {
	ID        devices.TypeID   `json:"id"`
	Name      label            `json:"name"`
	Interval  float64          `json:"interval_s"`
	Contract  devices.Contract `json:"contract"`
	Decoder   string           `json:"decoder"`
	Mobile    bool             `json:"mobile"`
	Open      bool             `json:"open"`
	Dashboard dashboardView    `json:"dashboard"`
	Metrics   []metricView     `json:"metrics"`
	// What follows is not taken, only shown.
	Shipped bool  `json:"shipped"`
	Edited  bool  `json:"edited"`
	Version int64 `json:"version"`
}

type dashboardView struct {
	Metrics []string `json:"metrics"`
	Window  float64  `json:"window_s"`
}

type metricView struct {
	Name     string       `json:"name"`
	Label    label        `json:"label"`
	Unit     string       `json:"unit"`
	Min      float64      `json:"min"`
	Max      float64      `json:"max"`
	Decimals int          `json:"decimals"`
	Kind     devices.Kind `json:"kind"`
	Headline bool         `json:"headline"`
}

func viewType(t *devices.Type) typeView {
	v := typeView{ID: t.ID, Name: label{t.NameVI, t.NameEN}, Interval: t.Interval.Seconds(), Contract: t.Contract, Decoder: t.Decoder, Mobile: t.Mobile, Open: t.Open,
		Dashboard: dashboardView{some(t.Dashboard.Metrics), t.Dashboard.Window.Seconds()}, Metrics: []metricView{}, Shipped: t.Shipped, Edited: t.Edited, Version: t.Version}
	for _, m := range t.Metrics {
		v.Metrics = append(v.Metrics, metricView{m.Name, label{m.NameVI, m.NameEN}, m.Unit, m.Min, m.Max, m.Decimals, m.Kind, m.Headline})
	}
	return v
}

// typ is what was sent as a type.
func (v *typeView) typ() (devices.Type, error) {
	const year = 366 * 24 * 3600
	if !(v.Interval >= 0 && v.Interval <= year) {
		return devices.Type{}, &devices.FieldError{Field: "interval_s", Reason: "from 0 to a year"}
	}
	if !(v.Dashboard.Window >= 0 && v.Dashboard.Window <= year) {
		return devices.Type{}, &devices.FieldError{Field: "dashboard.window_s", Reason: "from 0 (a day) to a year"}
	}
	t := devices.Type{ID: v.ID, NameVI: v.Name.VI, NameEN: v.Name.EN, Interval: seconds(v.Interval), Contract: v.Contract, Decoder: v.Decoder, Mobile: v.Mobile, Open: v.Open,
		Dashboard: devices.Dashboard{Metrics: v.Dashboard.Metrics, Window: seconds(v.Dashboard.Window)}}
	for _, m := range v.Metrics {
		t.Metrics = append(t.Metrics, devices.Metric{Name: m.Name, NameVI: m.Label.VI, NameEN: m.Label.EN, Unit: m.Unit, Min: m.Min, Max: m.Max, Decimals: m.Decimals, Kind: m.Kind, Headline: m.Headline})
	}
	return t, nil
}

func seconds(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }

func (s *Server) listTypes(w http.ResponseWriter, _ *http.Request) {
	items := []typeView{}
	for _, t := range s.Registry.Types() {
		items = append(items, viewType(&t))
	}
	s.json(w, http.StatusOK, list{Items: items})
}

func (s *Server) getType(w http.ResponseWriter, r *http.Request) {
	id := devices.TypeID(chi.URLParam(r, "id"))
	t, ok := s.Registry.Type(id)
	if !ok {
		s.fail(w, r, fmt.Errorf("device type %.40q: %w", id, devices.ErrNotFound))
		return
	}
	w.Header().Set("ETag", etag(t.Version))
	s.json(w, http.StatusOK, viewType(t))
}

// putType adds or changes a type. With If-Match it is changed only as it was
// read.
func (s *Server) putType(w http.ResponseWriter, r *http.Request) {
	var v typeView
	q, err := looseQuery(r, []string{"units"})
	if err == nil {
		err = s.body(w, r, 256<<10, &v)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id := devices.TypeID(chi.URLParam(r, "id"))
	if v.ID != "" && v.ID != id {
		s.fail(w, r, &devices.FieldError{Field: "id", Reason: fmt.Sprintf("the address says %.40s; a type keeps its id", id)})
		return
	}
	v.ID = id
	version, err := ifMatch(r)
	if errors.Is(err, errNoVersion) {
		version, err = 0, nil
	}
	t, wrong := v.typ()
	if err = errors.Join(err, wrong); err == nil {
		err = s.putTypes(r, []devices.Type{t}, version, q.Get("units"))
	}
	if fe, ok := errors.AsType[*devices.FieldError](err); ok {
		err = &devices.FieldError{Field: inJSON(fe.Field), Reason: fe.Reason}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.getType(w, r)
}

// inJSON is the name in JSON of a field of the one type that was sent.
func inJSON(field string) string {
	field = strings.TrimPrefix(field, "types[0].")
	name := "name."
	if strings.HasPrefix(field, "metrics[") {
		name = "label."
	}
	switch field = strings.Replace(field, "name_", name, 1); field {
	case "interval", "dashboard.window":
		return field + "_s"
	}
	return field
}

// putTypes changes types. units=change says that values which were kept in a
// unit may be read in another.
func (s *Server) putTypes(r *http.Request, ts []devices.Type, version int64, units string) error {
	if units != "" && units != "change" {
		return &devices.FieldError{Field: "units", Reason: fmt.Sprintf("%.20q is unknown; known is change", units)}
	}
	for i := range ts {
		old, known := s.Registry.Type(ts[i].ID)
		if !known || units == "change" {
			continue
		}
		if changed := old.UnitsChanged(&ts[i]); len(changed) > 0 && s.spoke(old.ID) {
			return fmt.Errorf("devices of type %s have sent readings, and the unit of %s would be another: their history would be read wrongly. Add a metric of another name instead, or say units=change: %w",
				old.ID, strings.Join(changed, ", "), devices.ErrConflict)
		}
	}
	return s.Registry.PutTypes(r.Context(), ts, version)
}

// spoke says whether a device of a type has ever sent anything.
func (s *Server) spoke(id devices.TypeID) bool {
	return slices.ContainsFunc(s.Registry.List(devices.Filter{Type: id, Lives: devices.Lives()}), func(d *devices.Device) bool { return !s.Tracker.LastSeen(d.ID).IsZero() })
}

func (s *Server) deleteType(w http.ResponseWriter, r *http.Request) {
	if err := s.Registry.DeleteType(r.Context(), devices.TypeID(chi.URLParam(r, "id"))); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// exportTypes writes all types as YAML, as importTypes takes them.
func (s *Server) exportTypes(w http.ResponseWriter, r *http.Request) {
	text, err := devices.WriteTypes(s.Registry.Types())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Content-Disposition", `attachment; filename="device-types.yaml"`)
	w.Write(text)
}

// importTypes takes types as YAML, all or none; errors name the line.
func (s *Server) importTypes(w http.ResponseWriter, r *http.Request) {
	q, err := looseQuery(r, []string{"units"})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	ts, err := devices.ReadTypes(text)
	if err == nil {
		err = s.putTypes(r, ts, 0, q.Get("units"))
		if fe, ok := errors.AsType[*devices.FieldError](err); ok {
			if n := devices.LineOf(text, fe.Field); n > 0 {
				err = &devices.FieldError{Field: fe.Field, Reason: fmt.Sprintf("line %d: %s", n, fe.Reason)}
			}
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.listTypes(w, r)
}
