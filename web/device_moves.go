package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"

	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/people"
)

// maxMoves is how many moves are told one by one.
const maxMoves = 1000

// moved is a device whose area ended, and where it belongs now.
type moved struct {
	ID       devices.ID `json:"id"`
	Name     string     `json:"name"`
	From     string     `json:"from"`
	FromName string     `json:"from_name"`
	To       string     `json:"to,omitempty"`
	ToName   string     `json:"to_name,omitempty"`
	// Why says why it is not known; Among are the areas in question.
	Why   string   `json:"why,omitempty"`
	Among []string `json:"among,omitempty"`
}

// moves is what became of the devices whose areas ended.
type moves struct {
	DryRun bool `json:"dry_run"`
	// Moved of Total devices are moved, or would be; Left are not. Moves and
	// Unresolved are the first of them.
	Total      int     `json:"total"`
	Moved      int     `json:"moved"`
	Left       int     `json:"left"`
	Moves      []moved `json:"moves"`
	Unresolved []moved `json:"unresolved"`

	changes []devices.Change
}

// postMoves moves the devices whose area has ended to the one that it became, by
// their place where it became several: all that can be, or none. A dry run says
// what it would do.
func (s *Server) postMoves(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Area   string `json:"area"`
		DryRun bool   `json:"dry_run"`
		Reason string `json:"reason"`
	}
	err := s.body(w, r, 8<<10, &b)
	if err == nil && b.Area != "" {
		if a, ok := s.Registry.Area(b.Area); !ok || a.Closed == "" {
			err = &devices.FieldError{Field: "area", Reason: fmt.Sprintf("%.40q is no area that has ended", b.Area)}
		}
	}
	if err == nil && len(b.Reason) > 500 {
		err = &devices.FieldError{Field: "reason", Reason: "at most 500 bytes"}
	}
	var m *moves
	if err == nil {
		m, err = s.planMoves(r, b.Area)
	}
	if err == nil && !b.DryRun && len(m.changes) > 0 {
		told, _ := json.Marshal(map[string]any{"moved": m.Moved, "left": m.Left, "area": b.Area})
		entry := audit.Entry{Action: "device.move_all", Kind: "area", ID: cmp.Or(b.Area, "*"), After: told, Why: b.Reason}
		err = s.Registry.Apply(r.Context(), m.changes, entry, nil)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	m.DryRun = b.DryRun
	say := inLanguage(w, r)
	for i := range m.Unresolved {
		m.Unresolved[i].Why = say(m.Unresolved[i].Why)
	}
	s.json(w, http.StatusOK, m)
}

// planMoves finds where the devices belong whose area ended, of those that who
// asks may manage where they are and where they go.
func (s *Server) planMoves(r *http.Request, area string) (*moves, error) {
	var among []string
	if area != "" {
		among = []string{area}
	}
	m := &moves{Moves: []moved{}, Unresolved: []moved{}}
	sees := s.sees(r, people.DeviceManage)
	for _, d := range s.Registry.List(devices.Filter{Areas: s.areasEnded(among, true), Lives: notRetired}) {
		to, known, why := s.Areas.Heir(d.Area, d.Position)
		next := *d
		if to != nil {
			next.Area = to.Code
		}
		if sees != nil && !(sees(d) && sees(&next)) {
			continue
		}
		from, _ := s.Registry.Area(d.Area)
		x := moved{ID: d.ID, Name: d.Name, From: d.Area, FromName: from.Name}
		m.Total++
		if to == nil {
			x.Why, x.Among = why, codesOf(known)
			if m.Left++; len(m.Unresolved) < maxMoves {
				m.Unresolved = append(m.Unresolved, x)
			}
			continue
		}
		next, err := s.Registry.Check(next, nil)
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", d.ID, err)
		}
		x.To, x.ToName = to.Code, to.Name
		if m.Moved++; len(m.Moves) < maxMoves {
			m.Moves = append(m.Moves, x)
		}
		m.changes = append(m.changes, devices.Change{Device: next, Version: d.Version})
	}
	return m, nil
}

func codesOf(vs []*areas.Version) (codes []string) {
	for _, v := range vs {
		codes = append(codes, v.Code)
	}
	return codes
}
