package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/areas"
)

// areaCounts is what was counted in an area. On a map that is not of its time
// shares of areas count too, so that it need not be whole.
type areaCounts struct {
	Alerts     float64 `json:"alerts"`
	Reports    float64 `json:"reports"`
	WorkOrders float64 `json:"work_orders"`
}

type areaStats struct {
	Area     string      `json:"area"`
	Ref      string      `json:"area_version"`
	Name     string      `json:"name"`
	NameEN   string      `json:"name_en"`
	Type     areas.Type  `json:"type"`
	TypeName areas.Label `json:"type_name"`
	Parent   string      `json:"parent,omitempty"`
	areaCounts
}

// getAreaStats counts what happened by area, on the map of any day.
func (s *Server) getAreaStats(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := time.Now()
	day, err := dayParam(q.Get("map"), "map")
	to, from := now, now
	if err == nil {
		to, err = timeParam(q.Get("to"), "to", now)
	}
	if err == nil {
		from, err = timeParam(q.Get("from"), "from", to.AddDate(0, 0, -30))
	}
	if err == nil && !from.Before(to) {
		err = &devices.FieldError{Field: "from", Reason: "from must lie before to"}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	by, total, err := s.countByArea(r.Context(), from, to, day)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	items, elsewhere := []areaStats{}, areaCounts{}
	for ref, n := range by {
		v, known := s.Areas.Named(ref)
		if !known {
			elsewhere = n.rounded()
			continue
		}
		items = append(items, areaStats{v.Code, ref.String(), v.Name, v.NameEN, v.Type, v.Type.Label(), v.Parent, n.rounded()})
	}
	slices.SortFunc(items, func(a, b areaStats) int {
		return cmp.Or(strings.Compare(a.Area, b.Area), strings.Compare(a.Ref, b.Ref))
	})
	s.json(w, http.StatusOK, map[string]any{"map": day, "from": from.UTC(), "to": to.UTC(), "items": items, "elsewhere": elsewhere, "total": total})
}

// countByArea brings alerts, reports and work orders of a span to the map of a
// day; the empty ref is what has no area there.
func (s *Server) countByArea(ctx context.Context, from, to time.Time, day areas.Day) (by map[areas.Ref]*areaCounts, total areaCounts, err error) {
	by = map[areas.Ref]*areaCounts{}
	for _, kind := range []struct {
		tallies func(context.Context, time.Time, time.Time) ([]areas.Tally, error)
		field   func(*areaCounts) *float64
	}{
		{s.Alerts.Tallies, func(c *areaCounts) *float64 { return &c.Alerts }},
		{s.Reports.Tallies, func(c *areaCounts) *float64 { return &c.Reports }},
		{s.Dispatch.Tallies, func(c *areaCounts) *float64 { return &c.WorkOrders }},
	} {
		ts, err := kind.tallies(ctx, from, to)
		if err != nil {
			return nil, total, err
		}
		for _, t := range ts {
			*kind.field(&total) += t.N
		}
		for ref, n := range s.Areas.Count(ts, day) {
			if by[ref] == nil {
				by[ref] = &areaCounts{}
			}
			*kind.field(by[ref]) += n
		}
	}
	return by, total, nil
}

// rounded leaves out what only the machine's arithmetic added.
func (c *areaCounts) rounded() areaCounts {
	round := func(x float64) float64 { return math.Round(x*1e6) / 1e6 }
	return areaCounts{round(c.Alerts), round(c.Reports), round(c.WorkOrders)}
}
