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
	// Whole is with all that lies in it.
	Whole areaCounts `json:"with_children"`
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
	var level areas.Type
	if l := q.Get("level"); err == nil && l != "" {
		if level, err = areas.ParseType(l); err != nil {
			err = &devices.FieldError{Field: "level", Reason: err.Error()}
		}
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
	if level != "" {
		by = s.raise(by, day, level)
	}
	whole := s.wholes(by, day)
	items, elsewhere := []areaStats{}, areaCounts{}
	for ref, n := range whole {
		v, known := s.Areas.Named(ref)
		own := by[ref]
		if own == nil {
			own = &areaCounts{}
		}
		switch {
		case !known:
			elsewhere = own.rounded()
		case level == "" || v.Type == level:
			items = append(items, areaStats{v.Code, ref.String(), v.Name, v.NameEN, v.Type, v.Type.Label(), v.Parent, own.rounded(), n.rounded()})
		}
	}
	slices.SortFunc(items, func(a, b areaStats) int {
		return cmp.Or(strings.Compare(a.Area, b.Area), strings.Compare(a.Ref, b.Ref))
	})
	s.json(w, http.StatusOK, map[string]any{"map": day, "from": from.UTC(), "to": to.UTC(), "level": level, "items": items, "elsewhere": elsewhere, "total": total})
}

// raise brings counts up to the areas of one type that they lie in, the nearest
// of that type; what lies in none of it, to the empty ref.
func (s *Server) raise(by map[areas.Ref]*areaCounts, day areas.Day, level areas.Type) map[areas.Ref]*areaCounts {
	out := map[areas.Ref]*areaCounts{}
	for ref, n := range by {
		to := areas.Ref{}
		for _, v := range s.lineage(ref, day) {
			if v.Type == level {
				to = v.Ref()
				break
			}
		}
		sumOf(out, to).add(n)
	}
	return out
}

// wholes are counts of areas with all that lies in them on a day, also of areas
// in which only others have any.
func (s *Server) wholes(by map[areas.Ref]*areaCounts, day areas.Day) map[areas.Ref]*areaCounts {
	out := map[areas.Ref]*areaCounts{}
	for ref, n := range by {
		up := s.lineage(ref, day)
		if len(up) == 0 {
			sumOf(out, ref).add(n)
		}
		for _, v := range up {
			sumOf(out, v.Ref()).add(n)
		}
	}
	return out
}

// lineage is the version of a ref and those that it lies in on a day, nearest
// first; none of a ref that names nothing.
func (s *Server) lineage(ref areas.Ref, day areas.Day) []*areas.Version {
	v, known := s.Areas.Named(ref)
	if !known {
		return nil
	}
	return append([]*areas.Version{v}, s.Areas.Ancestors(v, day)...)
}

func sumOf(by map[areas.Ref]*areaCounts, ref areas.Ref) *areaCounts {
	if by[ref] == nil {
		by[ref] = &areaCounts{}
	}
	return by[ref]
}

func (c *areaCounts) add(n *areaCounts) {
	c.Alerts, c.Reports, c.WorkOrders = c.Alerts+n.Alerts, c.Reports+n.Reports, c.WorkOrders+n.WorkOrders
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
			*kind.field(sumOf(by, ref)) += n
		}
	}
	return by, total, nil
}

// rounded leaves out what only the machine's arithmetic added.
func (c *areaCounts) rounded() areaCounts {
	round := func(x float64) float64 { return math.Round(x*1e6) / 1e6 }
	return areaCounts{round(c.Alerts), round(c.Reports), round(c.WorkOrders)}
}
