package web

import (
	"context"
	"net/http"
	"time"

	"haidang/devices"
	"haidang/devices/health"
)

// Stats are the figures of the wall's tiles.
func (s *Server) Stats(ctx context.Context) (any, error) {
	now := time.Now()
	total := map[string]int{"live": 0, "late": 0, "silent": 0, "never": 0, "total": 0}
	byType := map[devices.TypeID]map[string]int{}
	for _, d := range s.Registry.List(devices.Filter{}) {
		f := string(s.Tracker.Freshness(now, d.ID, health.Expect(s.Registry, d)))
		total[f]++
		total["total"]++
		if byType[d.Type] == nil {
			byType[d.Type] = map[string]int{}
		}
		byType[d.Type][f]++
	}
	flow := s.Tracker.Flow(now)
	alertCounts, unacked, err := s.Alerts.Counts(ctx)
	if err != nil {
		return nil, err
	}
	open := map[string]int{"unacked": unacked}
	for sev, n := range alertCounts {
		open[string(sev)] = n
	}
	byState, oldest, err := s.Reports.Counts(ctx)
	if err != nil {
		return nil, err
	}
	orders, err := s.Dispatch.Counts(ctx)
	if err != nil {
		return nil, err
	}
	dead, err := s.DeadLetters.Count(ctx)
	if err != nil {
		return nil, err
	}
	st := map[string]any{
		"now": now.UTC(), "version": s.Version, "devices": total, "by_type": byType,
		"readings_per_second": flow.PerSecond, "readings_total": flow.Total,
		"delay_ms": map[string]any{"p50": ms(flow.DelayP50), "p99": ms(flow.DelayP99), "samples": flow.Samples},
		"alerts":   open, "reports": byState, "work_orders": orders, "dead_letters": dead, "screens": s.Hub.Clients(),
		"influxdb": s.influxView(),
	}
	if oldest != nil {
		st["oldest_unanswered"] = map[string]any{"code": oldest.Code, "created_at": oldest.CreatedAt}
	}
	return st, nil
}

// influxView is the state of the copy to InfluxDB, for those who run it.
func (s *Server) influxView() any {
	type view struct {
		Configured  bool       `json:"configured"`
		Lag         *int64     `json:"lag,omitempty"` // entries of the journal
		LastSuccess *time.Time `json:"last_success,omitempty"`
		OutageSince *time.Time `json:"outage_since,omitempty"`
		Cause       string     `json:"cause,omitempty"`
	}
	if s.Influx == nil {
		return view{}
	}
	st := s.Influx()
	return view{true, &st.Lag, known(st.LastSuccess), known(st.OutageSince), st.Cause}
}

// known leaves a zero time out of JSON.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (s *Server) getStats(w http.ResponseWriter, r *http.Request) {
	st, err := s.Stats(r.Context())
	s.answer(w, r, http.StatusOK, st, err)
}
