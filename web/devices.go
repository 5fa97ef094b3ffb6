package web

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/ingest"
)

type label struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

func (s *Server) listTypes(w http.ResponseWriter, _ *http.Request) {
	type metric struct {
		Name     string  `json:"name"`
		Label    label   `json:"label"`
		Unit     string  `json:"unit"`
		Min      float64 `json:"min"`
		Max      float64 `json:"max"`
		Decimals int     `json:"decimals"`
		Headline bool    `json:"headline"`
	}
	type typ struct {
		ID       devices.TypeID `json:"id"`
		Name     label          `json:"name"`
		Interval float64        `json:"interval_s"`
		Mobile   bool           `json:"mobile"`
		Metrics  []metric       `json:"metrics"`
	}
	var items []typ
	for _, t := range s.Registry.Types() {
		x := typ{t.ID, label{t.NameVI, t.NameEN}, t.Interval.Seconds(), t.Mobile, []metric{}}
		for _, m := range t.Metrics {
			x.Metrics = append(x.Metrics, metric{m.Name, label{m.NameVI, m.NameEN}, m.Unit, m.Min, m.Max, m.Decimals, m.Headline})
		}
		items = append(items, x)
	}
	s.json(w, http.StatusOK, list{Items: items})
}

// deviceView is a device as the API shows it.
type deviceView struct {
	ID       devices.ID     `json:"id"`
	Type     devices.TypeID `json:"type"`
	Name     string         `json:"name"`
	Area     string         `json:"area"`
	AreaName string         `json:"area_name"`
	// AreaVersion is where it is now (areas.Ref): what moves may have left Area.
	AreaVersion string               `json:"area_version,omitempty"`
	Lat         *float64             `json:"lat,omitempty"`
	Lon         *float64             `json:"lon,omitempty"`
	Interval    float64              `json:"expected_interval_s"`
	State       devices.Freshness    `json:"state"`
	Connection  string               `json:"connection"`
	LastSeen    *time.Time           `json:"last_seen,omitempty"`
	Discovered  bool                 `json:"discovered"`
	Values      map[string]valueView `json:"values"`
	Health      *healthView          `json:"health,omitempty"`
}

// healthView is what the device's own numbering and clock say.
type healthView struct {
	ClockAhead *float64 `json:"clock_ahead_s,omitempty"` // estimated; negative: behind, or a slow way
	Gaps       int64    `json:"seq_gaps"`
	Missing    int64    `json:"seq_missing"`
	Restarts   int64    `json:"seq_restarts"`
}

type valueView struct {
	Value      float64   `json:"value"`
	TS         time.Time `json:"ts"`
	ReceivedAt time.Time `json:"received_at"`
	AgeSeconds float64   `json:"age_s"`
	Quality    string    `json:"quality"`
	Unit       string    `json:"unit,omitempty"`
}

func (s *Server) view(d *devices.Device, now time.Time) deviceView {
	st, _ := s.Tracker.Get(d.ID)
	area, _ := s.Registry.Area(d.Area)
	interval := s.Registry.Interval(d)
	v := deviceView{ID: d.ID, Type: d.Type, Name: d.Name, Area: d.Area, AreaName: area.Name, Interval: interval.Seconds(),
		State: devices.FreshnessAt(now, st.LastSeen, interval), Connection: st.Connection, Discovered: d.Discovered, Values: map[string]valueView{}}
	if v.Connection == "" {
		v.Connection = "unknown"
	}
	pos := st.Position
	if pos == nil {
		pos = d.Position
	}
	v.AreaVersion = s.areaVersion(d, pos, now)
	if pos != nil {
		v.Lat, v.Lon = &pos.Lat, &pos.Lon
	}
	if !st.LastSeen.IsZero() {
		v.LastSeen = &st.LastSeen
	}
	if st.LastFix != nil {
		v.Health = &healthView{Gaps: st.Trust.Gaps, Missing: st.Trust.Missing, Restarts: st.Trust.Restarts}
		if ahead, ok := st.Trust.Skew(); ok {
			seconds := ahead.Round(time.Millisecond).Seconds()
			v.Health.ClockAhead = &seconds
		}
	}
	t, _ := s.Registry.Type(d.Type)
	for k, x := range st.Values {
		unit := ""
		if t != nil {
			if m := t.Metric(k); m != nil {
				unit = m.Unit
			}
		}
		v.Values[k] = valueView{x.Number, x.FixTime, x.ReceivedAt, max(0, now.Sub(x.FixTime).Round(time.Millisecond).Seconds()), x.Quality.String(), unit}
	}
	return v
}

func (s *Server) listDevices(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := intParam(q.Get("limit"), "limit", 1000, 10_000)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := time.Now()
	items, next := []deviceView{}, ""
	for _, d := range s.Registry.List(devices.Filter{Type: devices.TypeID(q.Get("type")), Area: q.Get("area"), Query: q.Get("q")}) {
		if c := q.Get("cursor"); c != "" && d.ID.Key() <= strings.ToLower(c) {
			continue
		}
		v := s.view(d, now)
		if st := q.Get("state"); st != "" && string(v.State) != st {
			continue
		}
		if len(items) == limit {
			next = string(items[limit-1].ID)
			break
		}
		items = append(items, v)
	}
	s.json(w, http.StatusOK, list{items, next})
}

func (s *Server) device(r *http.Request) (*devices.Device, error) {
	id := chi.URLParam(r, "id")
	d, ok := s.Registry.Get(devices.ID(id))
	if !ok {
		return nil, fmt.Errorf("device %.80q: %w", id, devices.ErrNotFound)
	}
	return d, nil
}

func (s *Server) getDevice(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, s.view(d, time.Now()))
}

func (s *Server) postDevice(w http.ResponseWriter, r *http.Request) {
	var b struct {
		ID       devices.ID     `json:"id"`
		Type     devices.TypeID `json:"type"`
		Name     string         `json:"name"`
		Area     string         `json:"area"`
		Lat      *float64       `json:"lat"`
		Lon      *float64       `json:"lon"`
		Interval float64        `json:"expected_interval_s"`
	}
	if err := s.body(w, r, 64<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	d := devices.Device{ID: b.ID, Type: b.Type, Name: b.Name, Area: b.Area, Interval: time.Duration(b.Interval * float64(time.Second))}
	if (b.Lat == nil) != (b.Lon == nil) {
		s.fail(w, r, &devices.FieldError{Field: "lat", Reason: "lat and lon come together, or not at all"})
		return
	}
	if b.Interval < 0 || b.Interval > 366*24*3600 {
		s.fail(w, r, &devices.FieldError{Field: "expected_interval_s", Reason: "from 0 (as its type) to one year"})
		return
	}
	if b.Lat != nil {
		d.Position = &devices.Position{Lat: *b.Lat, Lon: *b.Lon}
	}
	created, err := s.Registry.Create(r.Context(), d)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	secret, err := s.Registry.IssueSecret(r.Context(), created.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusCreated, map[string]any{"device": s.view(created, time.Now()), "secret": secret})
}

func (s *Server) postSecret(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r)
	if err == nil {
		var secret string
		if secret, err = s.Registry.IssueSecret(r.Context(), d.ID); err == nil {
			s.json(w, http.StatusOK, map[string]string{"secret": secret})
			return
		}
	}
	s.fail(w, r, err)
}

// postReadings takes a device's payload. The device itself may send, as
// Basic id:secret, or an operator for it.
func (s *Server) postReadings(w http.ResponseWriter, r *http.Request) {
	id, err := devices.ParseID(chi.URLParam(r, "id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	own := !slices.Contains(keepers, who(r).Role)
	if own {
		_, secret, _ := r.BasicAuth()
		if _, ok := s.signsIn(w, r, id, secret); !ok {
			return
		}
	}
	body, err := payload(w, r, ingest.MaxPayload)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	leaf := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	sender := string(id)
	if !own {
		sender = sentBy(r)
	}
	o, err := s.Pipeline.Ingest(r.Context(), sender, id, leaf, body)
	if err != nil {
		s.Log.Warn("readings over HTTP were not taken", "component", "web", "device_id", id, "error", err)
		s.fail(w, r, errUnavailable)
		return
	}
	s.answerOutcome(w, r, o)
}

// sentBy is who sends, for dead letters: the session's name and address.
func sentBy(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return who(r).Name + " " + host
}

func (s *Server) answerOutcome(w http.ResponseWriter, r *http.Request, o ingest.Outcome) {
	type refused struct {
		ID      int64  `json:"id"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	letters := []refused{}
	p := problem{Type: "about:blank", Title: http.StatusText(http.StatusUnprocessableEntity), Status: http.StatusUnprocessableEntity, Instance: r.URL.Path, Request: requestID(r)}
	for _, d := range o.DeadLetters {
		letters = append(letters, refused{d.ID, d.Code, d.Message})
		p.Errors = append(p.Errors, fieldError{d.Code, d.Message})
	}
	if o.Stored+o.Duplicates == 0 && len(letters) > 0 {
		p.Detail = letters[0].Message
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(p.Status)
		json.NewEncoder(w).Encode(p)
		return
	}
	s.json(w, http.StatusAccepted, map[string]any{"stored": o.Stored, "duplicates": o.Duplicates, "dead_letters": letters})
}

// intParam reads a whole number from 1 to most; empty gives def.
func intParam(v, name string, def, most int) (int, error) {
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return 0, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.20q is not a whole number from 1 to %d", v, most)}
	}
	return n, nil
}

// timeParam reads an RFC 3339 time; empty gives def.
func timeParam(v, name string, def time.Time) (time.Time, error) {
	if v == "" {
		return def, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return t, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.40q is not a time such as 2026-11-22T08:00:00+07:00 (in a URL, write + as %%2B)", v)}
	}
	return t, nil
}
