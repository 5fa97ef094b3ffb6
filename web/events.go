package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"haidang/devices"
	"haidang/devices/personal"
	"haidang/ingest"
)

// EventHistory answers what devices said happened: the journal.
type EventHistory interface {
	Events(ctx context.Context, q ingest.ReadingsQuery) (items []ingest.Event, next string, err error)
}

type eventView struct {
	Device     devices.ID     `json:"device"`
	TS         time.Time      `json:"ts"`
	ReceivedAt time.Time      `json:"received_at"`
	Lateness   string         `json:"lateness"`
	TimeSource string         `json:"time_source"`
	Type       string         `json:"type"`
	Severity   string         `json:"severity,omitempty"`
	Lat        *float64       `json:"lat,omitempty"`
	Lon        *float64       `json:"lon,omitempty"`
	Data       map[string]any `json:"data,omitempty"`
	// AreaVersion is where it happened (areas.Ref), on the map of its day.
	AreaVersion string `json:"area_version,omitempty"`
}

// viewEvent is an event with what tells a person hidden.
func viewEvent(e *ingest.Event) eventView {
	v := rawEvent(e)
	if json.Unmarshal(e.Data, &v.Data) == nil {
		personal.Fields(v.Data)
	}
	return v
}

// rawEvent is an event without its data.
func rawEvent(e *ingest.Event) eventView {
	v := eventView{Device: e.Device, TS: e.FixTime, ReceivedAt: e.ReceivedAt, Lateness: e.Lateness.String(), TimeSource: ingest.TimeSource(e.TimeAssumed, e.TimeSuspect),
		Type: e.Type, Severity: e.Severity}
	if p := e.Position; p != nil {
		v.Lat, v.Lon = &p.Lat, &p.Lon
	}
	return v
}

func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	q, err := s.pageQuery(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	es, next, err := s.Events.Events(r.Context(), q)
	if err != nil {
		s.failHistory(w, r, err)
		return
	}
	items := make([]eventView, len(es))
	for i := range es {
		items[i] = viewEvent(&es[i])
		items[i].AreaVersion = s.eventArea(&es[i])
	}
	s.json(w, http.StatusOK, list{items, next})
}

// eventArea is where a device was when it said something.
func (s *Server) eventArea(e *ingest.Event) string {
	d, ok := s.Registry.Get(e.Device)
	if !ok {
		return ""
	}
	return s.areaVersion(d, e.Position, e.EventTime())
}
