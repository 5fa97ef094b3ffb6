package people

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is where something lies: the code of its area, and its category, which
// of a report is the report's, of a device its type and of an alert its
// device's type. Empty: nobody said, which is inside no limit.
type Scope struct{ Area, Category string }

// Grant is a role that somebody has, everywhere or within limits.
type Grant struct {
	Role string `json:"role"`
	// Area is the code of the area in whose subtree it holds; empty: in all.
	Area string `json:"area,omitempty"`
	// Categories are those for which it holds; none: for all.
	Categories []string `json:"categories,omitempty"`
}

// Rights are what somebody may do: the sum of grants. The zero value may do
// nothing.
type Rights struct {
	grants []granted
	within func(area, root string) bool
	only   []Action // of an API token; nil: no further limit
}

type granted struct {
	Grant
	actions []Action
}

// Rights resolves grants by the roles as they now are. A role that is not known
// gives nothing.
func (s *Store) Rights(grants ...Grant) Rights {
	r := Rights{within: s.within}
	for _, g := range grants {
		if role, ok := s.Role(g.Role); ok {
			r.grants = append(r.grants, granted{g, role.Actions})
		}
	}
	return r
}

// Only narrows the rights to some actions.
func (r Rights) Only(actions []Action) Rights {
	r.only = actions
	return r
}

// Has says whether an action is allowed somewhere.
func (r Rights) Has(a Action) bool {
	return r.some(a, func(granted) bool { return true })
}

// Everywhere says whether an action is allowed without limits.
func (r Rights) Everywhere(a Action) bool {
	return r.some(a, func(g granted) bool { return g.Area == "" && len(g.Categories) == 0 })
}

// Allow says whether an action is allowed on what lies in scope. This is the
// one place where that is decided.
func (r Rights) Allow(a Action, in Scope) bool {
	return r.some(a, func(g granted) bool {
		return (g.Area == "" || in.Area != "" && r.within(in.Area, g.Area)) &&
			(len(g.Categories) == 0 || slices.Contains(g.Categories, in.Category))
	})
}

func (r Rights) some(a Action, fits func(granted) bool) bool {
	if r.only != nil && !slices.Contains(r.only, a) {
		return false
	}
	return slices.ContainsFunc(r.grants, func(g granted) bool { return slices.Contains(g.actions, a) && fits(g) })
}

// Actions are those that are allowed somewhere.
func (r Rights) Actions() []Action {
	as := []Action{}
	for _, a := range Actions {
		if r.Has(a) {
			as = append(as, a)
		}
	}
	return as
}

// Limits names the limits of an action: two rights with the same name see the
// same. Empty: there are none.
func (r Rights) Limits(a Action) string {
	if r.Everywhere(a) {
		return ""
	}
	var b strings.Builder
	r.some(a, func(g granted) bool {
		fmt.Fprintf(&b, "%q%q;", g.Area, g.Categories)
		return false
	})
	return b.String() + "-"
}

// Key names all of it: two rights with the same key are the same.
func (r Rights) Key() string {
	var b strings.Builder
	for _, g := range r.grants {
		fmt.Fprintf(&b, "%q%q%q%q;", g.Role, g.Area, g.Categories, g.actions)
	}
	fmt.Fprintf(&b, "%q", r.only)
	return b.String()
}

// Roles names the roles, for people and for the audit log.
func (r Rights) Roles() string {
	var ids []string
	for _, g := range r.grants {
		if !slices.Contains(ids, g.Role) {
			ids = append(ids, g.Role)
		}
	}
	return strings.Join(ids, ",")
}
