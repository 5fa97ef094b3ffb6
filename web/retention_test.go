package web

import (
	"fmt"
	"strings"
	"testing"

	"haidang/devices/audit"
	"haidang/devices/retention"
)

// callRetention calls the operations of retention.yaml so that they succeed.
func (h *house) callRetention(do func(as, op, at string, status int, body ...string) map[string]any) {
	h.t.Helper()
	const root = "/api/v1/retention"
	do("auditor", "GET "+root+"/classes", root+"/classes", 200)
	do("auditor", "GET "+root+"/classes/{id}", root+"/classes/readings", 200)
	var c retention.Class
	if res := h.call("admin", "PUT", root+"/classes/readings", h.example("PUT "+root+"/classes/{id}"), &c, "If-Match", "*"); res.StatusCode != 200 || c.Version != 2 {
		h.t.Errorf("change a class: %s, %+v", res.Status, c)
	}
	do("admin", "GET "+root+"/plan", root+"/plan", 200)
	if _, err := h.srv.Nightly.Now(h.t.Context(), "system"); err != nil {
		h.t.Error(err)
	}
	do("auditor", "GET "+root+"/runs", root+"/runs?limit=1", 200)
	id := do("admin", "POST "+root+"/holds", root+"/holds", 201)["id"].(float64)
	do("auditor", "GET "+root+"/holds", root+"/holds", 200)
	do("admin", "POST "+root+"/holds/{id}/lift", fmt.Sprintf("%s/holds/%.0f/lift", root, id), 200)
	do("auditor", "GET "+root+"/holds", root+"/holds?all=true", 200)
}

// Whoever changes how long things are kept says which version they saw and why;
// below the law it is refused at the field; a hold of what is not there too.
func TestRetentionIsChangedByWhoSaysWhy(t *testing.T) {
	h := newHouse(t, nil)
	const tracks, holds = "/api/v1/retention/classes/vessel_tracks", "/api/v1/retention/holds"
	res := h.call("auditor", "GET", tracks, "", nil)
	tag := res.Header.Get("ETag")
	body := func(keep, why string) string { return fmt.Sprintf(`{"keep":%q,"reason":%q}`, keep, why) }
	const why = "Theo kết luận thanh tra số 12"
	for _, c := range []struct {
		as, method, path, body, tag string
		status                      int
		says                        string
	}{
		{"operator", "PUT", tracks, body("P60M", why), tag, 403, ""},
		{"auditor", "PUT", tracks, body("P60M", why), tag, 403, ""},
		{"admin", "PUT", tracks, body("P60M", why), "", 428, "If-Match"},
		{"admin", "PUT", tracks, body("P35M", why), tag, 422, "41/2026/NĐ-CP"},
		{"admin", "PUT", tracks, body("3 years", why), tag, 422, "P36M"},
		{"admin", "PUT", tracks, body("P60M", "x"), tag, 422, "reason"},
		{"admin", "PUT", tracks, `{"keep":"P60M","kep":1}`, tag, 400, "kep"},
		{"admin", "PUT", tracks, body("P60M", why), tag, 200, ""},
		{"admin", "PUT", tracks, body("P48M", why), tag, 412, "somebody"},
		{"admin", "PUT", "/api/v1/retention/classes/nix", body("P48M", why), "*", 404, ""},
		{"admin", "POST", holds, `{"device":"nix","reason":"đang thanh tra trạm này"}`, "", 422, "device"},
		{"admin", "POST", holds, `{"area":"nix","reason":"đang thanh tra trạm này"}`, "", 422, "area"},
		{"admin", "POST", holds, `{"report":"QB-0000-0000","reason":"đang thanh tra trạm này"}`, "", 422, "report"},
		{"admin", "POST", holds, `{"reason":"đang thanh tra trạm này"}`, "", 422, "what is held"},
		{"admin", "POST", holds + "/99/lift", `{"reason":"thanh tra kết thúc rồi"}`, "", 404, ""},
		{"auditor", "POST", holds, `{"area":"quang-tri","reason":"đang thanh tra trạm này"}`, "", 403, ""},
	} {
		var p problem
		heads := []string{}
		if c.tag != "" {
			heads = append(heads, "If-Match", c.tag)
		}
		res := h.call(c.as, c.method, c.path, c.body, &p, heads...)
		if res.StatusCode != c.status || !strings.Contains(fmt.Sprint(p), c.says) {
			t.Errorf("%s %s %s: %d %+v", c.as, c.path, c.body, res.StatusCode, p)
		}
	}
	es, err := h.srv.Audit.List(t.Context(), audit.Filter{Action: "retention"})
	if err != nil || len(es) != 1 || es[0].Who != "admin" || es[0].Why != why {
		t.Errorf("recorded: %+v, %v", es, err)
	}
}
