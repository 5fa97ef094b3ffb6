package people

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"haidang/devices"
)

func TestRightsAreWhatIsGranted(t *testing.T) {
	s, _ := house(t, Options{Within: func(area, root string) bool { return area == root || strings.HasPrefix(area, root+"/") }})
	here, below, beside := Scope{"qb", "khac"}, Scope{"qb/dong-hoi", "khac"}, Scope{"qt", "khac"}
	for name, c := range map[string]struct {
		rights Rights
		action Action
		in     Scope
		want   bool
	}{
		"nothing":                              {Rights{}, DeviceRead, here, false},
		"a role that there is not":             {s.Rights(Grant{Role: "king"}), DeviceRead, here, false},
		"everywhere":                           {s.Rights(Grant{Role: "viewer"}), DeviceRead, beside, true},
		"everywhere, what lies nowhere":        {s.Rights(Grant{Role: "viewer"}), DeviceRead, Scope{}, true},
		"not of the role":                      {s.Rights(Grant{Role: "viewer"}), DeviceManage, here, false},
		"in the area":                          {s.Rights(Grant{Role: "viewer", Area: "qb"}), DeviceRead, here, true},
		"below it":                             {s.Rights(Grant{Role: "viewer", Area: "qb"}), DeviceRead, below, true},
		"above it":                             {s.Rights(Grant{Role: "viewer", Area: "qb/dong-hoi"}), DeviceRead, here, false},
		"beside it":                            {s.Rights(Grant{Role: "viewer", Area: "qb"}), DeviceRead, beside, false},
		"nowhere":                              {s.Rights(Grant{Role: "viewer", Area: "qb"}), DeviceRead, Scope{}, false},
		"the category":                         {s.Rights(Grant{Role: "officer", Categories: []string{"x", "khac"}}), ReportHandle, beside, true},
		"another category":                     {s.Rights(Grant{Role: "officer", Categories: []string{"x"}}), ReportHandle, beside, false},
		"no category":                          {s.Rights(Grant{Role: "officer", Categories: []string{"x"}}), ReportHandle, Scope{Area: "qb"}, false},
		"area and category":                    {s.Rights(Grant{"officer", "qb", []string{"khac"}}), ReportHandle, below, true},
		"area, another category":               {s.Rights(Grant{"officer", "qb", []string{"x"}}), ReportHandle, below, false},
		"one of two":                           {s.Rights(Grant{Role: "viewer", Area: "x"}, Grant{Role: "officer", Area: "qt"}), ReportHandle, beside, true},
		"not one's role with the other's area": {s.Rights(Grant{Role: "viewer", Area: "qt"}, Grant{Role: "officer", Area: "x"}), ReportHandle, beside, false},
		"of a token":                           {s.Rights(Grant{Role: "admin"}).Only([]Action{AlertRead}), AlertRead, here, true},
		"not of the token":                     {s.Rights(Grant{Role: "admin"}).Only([]Action{AlertRead}), PersonManage, here, false},
		"of a token that may nothing":          {s.Rights(Grant{Role: "admin"}).Only([]Action{}), AlertRead, here, false},
	} {
		if got := c.rights.Allow(c.action, c.in); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	some := s.Rights(Grant{Role: "viewer", Area: "qb"})
	if some.Everywhere(DeviceRead) || !some.Has(DeviceRead) || some.Limits(DeviceRead) == "" || some.Limits(DeviceRead) == s.Rights(Grant{Role: "viewer", Area: "qt"}).Limits(DeviceRead) {
		t.Error("limits are not told")
	}
	if all := s.Rights(Grant{Role: "viewer", Area: "qb"}, Grant{Role: "auditor"}); !all.Everywhere(DeviceRead) || all.Limits(DeviceRead) != "" || all.Roles() != "viewer,auditor" {
		t.Error("a grant without limits has some")
	}
}

// What ships is meant so: who gives rights does not read personal data by that,
// and who reads the audit log changes nothing.
func TestShippedRoles(t *testing.T) {
	roles, err := ShippedRoles()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string][]Action{}
	for _, r := range roles {
		has[r.ID] = r.Actions
	}
	for _, a := range Actions {
		if !slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(r.Actions, a) }) {
			t.Errorf("nobody may %s", a)
		}
	}
	if slices.Contains(has["admin"], PersonalUnmask) || slices.Contains(has["operator"], PersonalUnmask) {
		t.Error("more than those who need it see personal data")
	}
	for _, a := range has["auditor"] {
		if !strings.HasSuffix(string(a), ".read") {
			t.Errorf("an auditor may %s", a)
		}
	}
	for _, id := range []string{"viewer", "operator", "shift_lead", "officer", "crew", "integrator", "admin", "auditor"} {
		if len(has[id]) == 0 {
			t.Errorf("the role %s does not ship", id)
		}
	}
}

func TestRolesOfTheProvince(t *testing.T) {
	s, _ := house(t, Options{})
	desk := Role{ID: "camera_desk", Name: Name{VI: "Trực camera", EN: "Camera desk"}, Actions: []Action{DeviceRead, AlertAck}}
	if _, err := s.PutRole(t.Context(), desk); err != nil {
		t.Fatal(err)
	}
	add(t, s, "lan", Grant{Role: "camera_desk"})
	cookie, _, err := s.SignIn(t.Context(), Attempt{Account: "lan", Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Rights(Grant{Role: "camera_desk"}).Has(AlertAck) {
		t.Error("the role gives nothing")
	}
	if err := s.DeleteRole(t.Context(), "camera_desk"); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("a role that somebody has is deleted: %v", err)
	}
	desk.Actions = []Action{DeviceRead}
	if _, err := s.PutRole(t.Context(), desk); err != nil {
		t.Fatal(err)
	}
	if s.Rights(Grant{Role: "camera_desk"}).Has(AlertAck) {
		t.Error("what was taken from a role is still given")
	}
	if _, _, err := s.Session(t.Context(), cookie); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("the session goes on: %v", err)
	}
	a, err := s.Get(t.Context(), "LAN")
	if err != nil {
		t.Fatal(err)
	}
	a.Grants = []Grant{{Role: "viewer"}}
	if _, err := s.Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteRole(t.Context(), "camera_desk"); err != nil {
		t.Error(err)
	}
	for name, r := range map[string]Role{"a shipped one": {ID: "admin", Name: Name{VI: "x"}, Actions: Actions}, "no action": {ID: "x1", Name: Name{VI: "x"}}, "an unknown action": {ID: "x1", Name: Name{VI: "x"}, Actions: []Action{"rocket.launch"}}, "no name": {ID: "x1", Actions: Actions}, "no id": {ID: "Đội", Name: Name{VI: "x"}, Actions: Actions}} {
		if _, err := s.PutRole(t.Context(), r); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := s.DeleteRole(t.Context(), "viewer"); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("a shipped role is deleted: %v", err)
	}
}
