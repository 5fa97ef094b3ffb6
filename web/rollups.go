package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest/rollup"
)

// rollupView is one metric over an hour or a day.
type rollupView struct {
	TS           time.Time `json:"ts"`
	Mean         float64   `json:"mean"`
	Min          float64   `json:"min"`
	Max          float64   `json:"max"`
	Last         float64   `json:"last"`
	Count        int64     `json:"count"`
	Expected     float64   `json:"expected"`
	Completeness float64   `json:"completeness"`
	Provisional  bool      `json:"provisional"`
}

// getRollups answers a metric's figures by hour or by day.
func (s *Server) getRollups(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	metric := q.Get("metric")
	from, to, err := span(r)
	if err == nil && metric == "" {
		err = &devices.FieldError{Field: "metric", Reason: "say which metric"}
	}
	read, most := s.Rollups.Hours, 366*24*time.Hour
	switch p := q.Get("period"); {
	case err != nil:
	case p == "day":
		read, most = s.Rollups.Days, 10*366*24*time.Hour
	case p != "" && p != "hour":
		err = &devices.FieldError{Field: "period", Reason: fmt.Sprintf("%.20q is unknown; known are hour, day", p)}
	}
	if err == nil && to.Sub(from) > most {
		err = &devices.FieldError{Field: "from", Reason: fmt.Sprintf("at most %d days are answered at once by this period", int(most/(24*time.Hour)))}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answerRollups(w, r, read, d.ID, metric, from, to)
}

func (s *Server) answerRollups(w http.ResponseWriter, r *http.Request, read func(context.Context, devices.ID, string, time.Time, time.Time) ([]rollup.Bucket, error), id devices.ID, metric string, from, to time.Time) {
	buckets, err := read(r.Context(), id, metric, from, to)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items := make([]rollupView, len(buckets))
	for i := range buckets {
		b := &buckets[i]
		items[i] = rollupView{b.Start, b.Mean, b.Min, b.Max, b.Last, b.Count, b.Expected, b.Completeness(), b.Provisional}
	}
	s.json(w, http.StatusOK, list{Items: items})
}
