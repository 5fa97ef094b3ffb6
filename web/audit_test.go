package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"haidang/devices/audit"
	"haidang/devices/people"
)

// unrecorded are the writing operations that leave nothing in the audit log, and
// why.
var unrecorded = map[string]string{
	"POST /api/v1/devices/{id}/readings": "the journal has it",
	"POST /api/v1/devices/{id}/events":   "the journal has it",
	"POST /api/v1/formats/{format}":      "the journal has it",
	"POST /api/v1/indicators":            "the journal has it",
	"POST /api/v2/write":                 "the journal has it",
	"POST /osmand":                       "the journal has it",
	"POST /osmand/{secret}":              "the journal has it",
	"POST /api/v1/crews/{id}/position":   "it is a reading",
	"POST /api/v1/reports":               "the report has it; a citizen has no name",
	"DELETE /api/v1/session":             "called by a token here; TestSignOutIsRecorded",
	"POST /api/v1/imports/{id}/stop":     "the import says so, and nothing was changed",
}

// unchanged says of a call of an operation that is recorded that this one changed
// nothing.
func unchanged(op, at string, status int) bool {
	switch op {
	case "POST /api/v1/areas/import", "POST /api/v1/agencies/import":
		return !strings.Contains(at, "preview=")
	case "POST /api/v1/devices/area-moves": // a dry run
		return true
	case "POST /api/v1/devices/import": // async=true records later
		return strings.Contains(at, "dry_run=true") || strings.Contains(at, "async=true") || status == 422
	case "POST /api/v1/provision": // refused, which its answer says
		return true
	}
	return false
}

// noBefore and noAfter are acts of which one half is not there, or is secret;
// others have both.
var (
	noBefore = []string{"create", "issue", "begin", "hold", "send", "send_all", "use", "approve", "import", "secrets", "reset", "end", "unmask", "replay", "discard", "restore", "export"}
	noAfter  = []string{"delete", "reset", "end", "unmask", "export"}
)

// recorded holds what a call left in the audit log, behind the entry before, to
// what a change has to leave there.
func (h *house) recorded(op, at string, status int, before int64) {
	h.t.Helper()
	after, _, err := h.srv.Audit.Head(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if after == before {
		if unrecorded[op] == "" && !unchanged(op, at, status) {
			h.t.Errorf("%s left nothing in the audit log", op)
		}
		return
	}
	es, err := h.srv.Audit.List(h.t.Context(), audit.Filter{Limit: int(after - before)})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range es {
		_, verb, _ := strings.Cut(e.Action, ".")
		if e.Who == "" || e.Address == "" || e.Kind == "" || e.ID == "" && verb != "replay" {
			h.t.Errorf("%s: who, where or what is missing: %+v", op, e)
		}
		if e.Action == "session.create" || e.Action == "deadletter.replay" {
			continue // nothing is kept of what they begin
		}
		if len(e.Before) == 0 && !slices.Contains(noBefore, verb) {
			h.t.Errorf("%s: %s says not what was before", op, e.Action)
		}
		if len(e.After) == 0 && !slices.Contains(noAfter, verb) {
			h.t.Errorf("%s: %s says not what is after", op, e.Action)
		}
	}
}

func (h *house) last(action string) audit.Entry {
	h.t.Helper()
	es, err := h.srv.Audit.List(h.t.Context(), audit.Filter{Action: action, Limit: 1})
	if err != nil || len(es) != 1 {
		h.t.Fatalf("%s is not in the audit log: %v", action, err)
	}
	return es[0]
}

func TestSignOutIsRecorded(t *testing.T) {
	h := newHouse(t, nil)
	cookie := h.account("lan", people.Grant{Role: "viewer"})
	if res := h.call("", "DELETE", "/api/v1/session", "", nil, "Cookie", cookie); res.StatusCode != http.StatusNoContent {
		t.Fatal(res.Status)
	}
	if e := h.last("session.end"); e.Who != "lan" || e.ID != "lan" || e.Address == "" {
		t.Errorf("%+v", e)
	}
	h.call("", "POST", "/api/v1/session", `{"token":"viewer"}`, nil)
	if e := h.last("session.create"); e.Who != "viewer" || e.Address == "" {
		t.Errorf("%+v", e)
	}
}

// Whatever is changed, why can be said with it.
func TestReasonGoesIntoTheAuditLog(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/agencies", `{"id":"a","name":"A"}`, nil, reasonHeader, url.PathEscape("Quyết định 12, 100%"))
	if e := h.last("agency.create"); e.Why != "Quyết định 12, 100%" {
		t.Errorf("%+v", e)
	}
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d","type":"generic"}`, nil)
	h.call("operator", "POST", "/api/v1/devices/d/life", `{"life":"suspended","reason":"trong thân"}`, nil, reasonHeader, "head")
	if e := h.last("device.life"); e.Why != "trong thân" {
		t.Errorf("%+v", e)
	}
	for name, why := range map[string]string{"no escape": "100%", "two lines": "a%0Ab", "no UTF-8": "%ff", "too long": strings.Repeat("a", maxReason+1)} {
		var p problem
		if res := h.call("operator", "DELETE", "/api/v1/agencies/a", "", &p, reasonHeader, why); res.StatusCode != 422 || p.Errors[0].Field != reasonHeader {
			t.Errorf("%s: %s %+v", name, res.Status, p)
		}
	}
	if res := h.call("operator", "DELETE", "/api/v1/agencies/a", "", nil, reasonHeader, ""); res.StatusCode != 204 {
		t.Errorf("without one: %s", res.Status)
	}
}
