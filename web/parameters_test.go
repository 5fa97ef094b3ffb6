package web

import (
	"strings"
	"testing"
)

// A misspelt filter is told, at every path, and does not answer with all.
func TestMisspeltFilterIsTold(t *testing.T) {
	h := newHouse(t, nil)
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("{id}", "x", "{code}", "x", "{name}", "x", "{command}", "x", "{batch}", "x")
	n := 0
	for _, op := range c.operations() {
		path, read := strings.CutPrefix(op, "GET ")
		if !read || !strings.HasPrefix(path, "/api/v1/") || path == foreignParameters {
			continue
		}
		n++
		var p problem
		res := h.call("admin", "GET", fill.Replace(path)+"?staet=open", "", &p)
		if res.StatusCode != 422 || len(p.Errors) != 1 || p.Errors[0].Field != "staet" {
			t.Errorf("%s: %s %+v", op, res.Status, p)
		}
	}
	if n < 40 {
		t.Errorf("only %d paths", n)
	}
	for path, want := range map[string]int{"/api/v1/alerts?state=open&limit=1": 200, "/api/v1/areas?at=2025-06-30": 200, "/api/v1/nowhere?x=1": 404, "/api/v1/areas?%zz": 400, "/api/v1/session?": 200, "/api/v1/health/devices?by=type&state=live": 200} {
		if res := h.call("admin", "GET", path, "", nil); res.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, res.Status, want)
		}
	}
}
