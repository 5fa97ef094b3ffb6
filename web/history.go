package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest"
)

type readingView struct {
	Device     devices.ID         `json:"device"`
	TS         time.Time          `json:"ts"`
	ReceivedAt time.Time          `json:"received_at"`
	Seq        *int64             `json:"seq,omitempty"`
	Lateness   string             `json:"lateness"`
	TimeSource string             `json:"time_source"`
	Lat        *float64           `json:"lat,omitempty"`
	Lon        *float64           `json:"lon,omitempty"`
	Values     map[string]float64 `json:"values"`
	Quality    map[string]string  `json:"quality"`
	// AreaVersion is where it was measured (areas.Ref), on the map of its day.
	AreaVersion string `json:"area_version,omitempty"`
}

func viewReading(r *ingest.Reading) readingView {
	v := readingView{Device: r.Device, TS: r.FixTime, ReceivedAt: r.ReceivedAt, Lateness: r.Lateness.String(), TimeSource: ingest.TimeSource(r.TimeAssumed, r.TimeSuspect),
		Values: map[string]float64{}, Quality: map[string]string{}}
	if r.Seq >= 0 {
		v.Seq = &r.Seq
	}
	if r.Position != nil {
		v.Lat, v.Lon = &r.Position.Lat, &r.Position.Lon
	}
	for _, x := range r.Values {
		v.Values[x.Metric], v.Quality[x.Metric] = x.Number, x.Quality.String()
	}
	return v
}

// span reads from and to; the default is the last 24 hours.
func span(r *http.Request) (from, to time.Time, err error) {
	q, now := r.URL.Query(), time.Now().UTC()
	if to, err = timeParam(q.Get("to"), "to", now.Add(15*time.Minute)); err != nil {
		return
	}
	if from, err = timeParam(q.Get("from"), "from", to.Add(-24*time.Hour-15*time.Minute)); err == nil && !from.Before(to) {
		err = &devices.FieldError{Field: "from", Reason: "from must lie before to"}
	}
	return
}

// pageQuery reads which page of a device's past is asked for.
func (s *Server) pageQuery(r *http.Request) (q ingest.ReadingsQuery, err error) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		return q, err
	}
	q.Device, q.Cursor = d.ID, r.URL.Query().Get("cursor")
	if q.From, q.To, err = span(r); err == nil {
		q.Limit, err = intParam(r.URL.Query().Get("limit"), "limit", 1000, 10_000)
	}
	return q, err
}

func (s *Server) listReadings(w http.ResponseWriter, r *http.Request) {
	q, err := s.pageQuery(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rs, next, err := s.History.Readings(r.Context(), q)
	if err != nil {
		s.failHistory(w, r, err)
		return
	}
	items := make([]readingView, len(rs))
	for i := range rs {
		items[i] = viewReading(&rs[i])
		if d, ok := s.Registry.Get(rs[i].Device); ok {
			items[i].AreaVersion = s.areaVersion(d, rs[i].Position, rs[i].FixTime)
		}
	}
	s.json(w, http.StatusOK, list{items, next})
}

var aggregates = []string{"mean", "min", "max", "count", "last"}

func (s *Server) getSeries(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := r.URL.Query()
	q := ingest.SeriesQuery{Device: d.ID, Type: d.Type, Metric: v.Get("metric")}
	q.From, q.To, err = span(r)
	if err == nil && q.Metric == "" {
		err = &devices.FieldError{Field: "metric", Reason: "say which metric"}
	}
	if wnd := v.Get("window"); err == nil && wnd != "" {
		if q.Window, err = time.ParseDuration(wnd); err != nil || q.Window < time.Second {
			err = &devices.FieldError{Field: "window", Reason: fmt.Sprintf("%.20q is not a duration of at least 1s, such as 5m", wnd)}
		} else if q.To.Sub(q.From)/q.Window > 50_000 {
			err = &devices.FieldError{Field: "window", Reason: "that makes more than 50,000 windows; ask for larger ones or a shorter time"}
		}
	}
	want := aggregates
	if a := v.Get("agg"); err == nil && a != "" {
		want = strings.Split(a, ",")
		for _, x := range want {
			if !slices.Contains(aggregates, x) {
				err = &devices.FieldError{Field: "agg", Reason: fmt.Sprintf("%.20q is unknown; known are mean, min, max, count, last", x)}
			}
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	points, err := s.History.Series(r.Context(), q)
	if err != nil {
		s.failHistory(w, r, err)
		return
	}
	items := make([]map[string]any, len(points))
	for i, p := range points {
		items[i] = map[string]any{"ts": p.Time}
		for _, a := range want {
			items[i][a] = map[string]any{"mean": p.Mean, "min": p.Min, "max": p.Max, "count": p.Count, "last": p.Last}[a]
		}
	}
	s.json(w, http.StatusOK, map[string]any{"items": items, "source": s.History.Source()})
}

// failHistory tells an InfluxDB that does not answer from a fault of ours: it
// is another program, and may be away.
func (s *Server) failHistory(w http.ResponseWriter, r *http.Request, err error) {
	if _, theirs := errors.AsType[*devices.FieldError](err); !theirs && s.History.Source() == "influxdb" && r.Context().Err() == nil {
		s.Log.Warn("InfluxDB did not answer a question", "component", "web", "request_id", requestID(r), "error", err)
		err = errNoHistory
	}
	s.fail(w, r, err)
}
