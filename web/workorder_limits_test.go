package web

import (
	"fmt"
	"strings"
	"testing"

	"haidang/alerts"
	"haidang/devices/people"
)

// Who works within an area sends crews about what lies there, says where crews
// are that are there, and reads numbers to call in the orders of there alone.
func TestWorkStaysWithinLimits(t *testing.T) {
	h := newHouse(t, nil)
	const here, there = `"lat":17.47,"lon":106.6`, `"lat":15.6,"lon":108.2`
	must := func(method, path, body string, into any) {
		t.Helper()
		if res := h.call("admin", method, path, body, into); res.StatusCode/100 != 2 {
			t.Fatalf("%s %s: %s", method, path, res.Status)
		}
	}
	codes, orders := map[string]string{}, map[string]string{}
	for name, place := range map[string]string{"here": here, "there": there} {
		var rep struct{ Code string }
		must("POST", "/api/v1/reports", `{"category":"khac","description":"Ổ gà `+name+`",`+place+`}`, &rep)
		var o struct{ ID string }
		must("POST", "/api/v1/work-orders", fmt.Sprintf(`{"crew":"crew-1","report":%q,"title":"t","instructions":"gọi 0912345678"}`, rep.Code), &o)
		codes[name], orders[name] = rep.Code, o.ID
	}
	h.raise(func(a *alerts.Alert) { a.ID, a.Area, a.AreaVersion = "far", "da-nang", "da-nang@2025-07-01" })
	must("POST", "/api/v1/crews/crew-2/position", `{`+there+`}`, nil)

	cookie := h.account("lan", people.Grant{Role: "operator", Area: "quang-tri"})
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/crews/crew-1/position", `{` + here + `}`, 204},
		{"/crews/crew-2/position", `{` + here + `}`, 403},
		{"/crews/nobody/position", `{` + here + `}`, 403},
		{"/work-orders", fmt.Sprintf(`{"crew":"crew-1","report":%q,"title":"t",%s}`, codes["here"], here), 201},
		{"/work-orders", fmt.Sprintf(`{"crew":"crew-1","report":%q,"title":"t",%s}`, codes["there"], here), 403},
		{"/work-orders", `{"crew":"crew-1","alert":"far","title":"t",` + here + `}`, 403},
	} {
		if got := h.call("", "POST", "/api/v1"+c.path, c.body, nil, "Cookie", cookie).StatusCode; got != c.status {
			t.Errorf("POST %s %s: %d, want %d", c.path, c.body, got, c.status)
		}
	}

	cookie = h.account("ba", people.Grant{Role: "viewer"}, people.Grant{Role: "crew", Area: "quang-tri"})
	for name, whole := range map[string]bool{"here": true, "there": false} {
		var o struct{ Instructions string }
		h.call("", "GET", "/api/v1/work-orders/"+orders[name], "", &o, "Cookie", cookie)
		if o.Instructions == "" || strings.Contains(o.Instructions, "0912345678") != whole {
			t.Errorf("the order %s says %q", name, o.Instructions)
		}
	}
}
