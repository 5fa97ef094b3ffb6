package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/people"
)

// importAreas applies a file of areas that must be right.
func (h *house) importAreas(file string) {
	h.t.Helper()
	var p struct {
		Applied bool
		areas.Preview
	}
	for _, path := range []string{"/api/v1/areas/import", "/api/v1/areas/import?preview="} {
		if h.call("admin", "POST", path+p.Token, file, &p); p.ErrorCount > 0 {
			h.t.Fatalf("%+v", p.Errors)
		}
	}
	if !p.Applied {
		h.t.Fatal("not applied")
	}
}

// square is a feature of GeoJSON whose border is one.
func square(properties string, west, south float64) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{%[1]s},"geometry":{"type":"Polygon","coordinates":[[[%[2]g,%[3]g],[%[4]g,%[3]g],[%[4]g,%[5]g],[%[2]g,%[5]g],[%[2]g,%[3]g]]]}}`,
		properties, west, south, west+0.1, south+0.1)
}

// What a province had to do on 1 July 2025: areas end, their devices are found,
// told and moved to what they became, at once and with a record; nothing new is
// put where no area is any more.
func TestDevicesFollowTheirAreas(t *testing.T) {
	h := newHouse(t, nil)
	const head = "code,name,type,parent,valid_from,valid_to,predecessors\n"
	h.importAreas(head + "xa-a,A,Xã,quang-tri,2025-07-01,,\nxa-b,B,Xã,quang-tri,2025-07-01,,\nxa-c,C,Xã,da-nang,2025-07-01,,\nxa-d,D,Xã,quang-tri,2025-07-01,,\n")
	for id, at := range map[string]string{"a-1": `"area":"xa-a"`, "b-north": `"area":"xa-b","lat":17.25,"lon":106.55`, "b-south": `"area":"xa-b","lat":17.05,"lon":106.55`,
		"b-far": `"area":"xa-b","lat":15.6,"lon":108.2`, "b-nowhere": `"area":"xa-b"`, "c-1": `"area":"xa-c"`, "d-1": `"area":"xa-d"`, "stays": `"area":"dong-hoi"`} {
		if res := h.call("admin", "POST", "/api/v1/devices", `{"id":"`+id+`","type":"air_station",`+at+`}`, nil); res.StatusCode != 201 {
			t.Fatal(res.Status)
		}
	}
	before := time.Now()
	time.Sleep(5 * time.Millisecond)
	const day = "2026-09-01" // A became E whole, and C H; B is split into F and G; D stays
	h.importAreas(`{"type":"FeatureCollection","features":[` + strings.Join([]string{
		square(`"code":"ph-f","name":"F","type":"Phường","parent":"quang-tri","valid_from":"`+day+`","predecessors":"xa-b:0.6"`, 106.5, 17.2),
		square(`"code":"ph-g","name":"G","type":"Phường","parent":"quang-tri","valid_from":"`+day+`","predecessors":"xa-b:0.4"`, 106.5, 17.0),
		`{"type":"Feature","properties":{"code":"ph-e","name":"E","type":"Phường","parent":"quang-tri","valid_from":"` + day + `","predecessors":"xa-a:1"},"geometry":null}`,
		`{"type":"Feature","properties":{"code":"ph-h","name":"H","type":"Phường","parent":"da-nang","valid_from":"` + day + `","predecessors":"xa-c:1"},"geometry":null}`,
		`{"type":"Feature","properties":{"code":"xa-a","name":"A","type":"Xã","parent":"quang-tri","valid_from":"2025-07-01","valid_to":"` + day + `"},"geometry":null}`,
		`{"type":"Feature","properties":{"code":"xa-b","name":"B","type":"Xã","parent":"quang-tri","valid_from":"2025-07-01","valid_to":"` + day + `"},"geometry":null}`,
		`{"type":"Feature","properties":{"code":"xa-c","name":"C","type":"Xã","parent":"da-nang","valid_from":"2025-07-01","valid_to":"` + day + `"},"geometry":null}`,
	}, ",") + `]}`)

	// Nothing new is put there, by any way; what is there may be edited.
	refused := func(what string, res *http.Response, p problem) {
		t.Helper()
		if res.StatusCode != 422 || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, "B (xa-b) ended on 01/09/2026; now it is F (ph-f) or G (ph-g)") {
			t.Errorf("%s: %d %+v", what, res.StatusCode, p)
		}
	}
	var p problem
	refused("a new device", h.call("admin", "POST", "/api/v1/devices", `{"id":"x","type":"air_station","area":"xa-b"}`, &p), p)
	p = problem{}
	refused("an edit", h.call("admin", "PATCH", "/api/v1/devices/stays", `{"area":"xa-b"}`, &p, "If-Match", "*"), p)
	p = problem{}
	refused("an import", h.call("admin", "POST", "/api/v1/devices/import", "id,type,area\nx,air_station,xa-b\n", &p), p)
	p = problem{}
	refused("a provisioning key", h.call("admin", "POST", "/api/v1/provisioning-keys", `{"label":"x","type":"air_station","area":"xa-b"}`, &p), p)
	if res := h.call("admin", "PATCH", "/api/v1/devices/b-north", `{"vendor":"V"}`, nil, "If-Match", "*"); res.StatusCode != 200 {
		t.Errorf("an edit of what is there: %s", res.Status)
	}
	type page struct {
		Items []deviceView
		Total int
	}
	listed := func(query string) (ids []string) {
		t.Helper()
		var got page
		h.call("admin", "GET", "/api/v1/devices?"+query, "", &got)
		for _, d := range got.Items {
			if ids = append(ids, string(d.ID)); d.AreaEnded != (strings.HasPrefix(d.Area, "xa-") && d.Area != "xa-d") {
				t.Errorf("%s says of its area %v", d.ID, d.AreaEnded)
			}
		}
		return ids
	}
	if got := listed("area_ended=true"); !slices.Equal(got, []string{"a-1", "b-far", "b-north", "b-nowhere", "b-south", "c-1"}) {
		t.Errorf("their areas have ended: %v", got)
	}
	if got := listed("area_ended=false"); !slices.Equal(got, []string{"d-1", "stays"}) {
		t.Errorf("their areas have not: %v", got)
	}
	if got := listed("area_ended=true&area=xa-d"); len(got) != 0 {
		t.Errorf("in D: %v", got)
	}

	// Within limits only what is and comes to be there is moved.
	cookie := h.account("lan", people.Grant{Role: "operator", Area: "da-nang"})
	var m moves
	if h.call("", "POST", "/api/v1/devices/area-moves", `{"dry_run":true}`, &m, "Cookie", cookie); m.Total != 1 || m.Moves[0].ID != "c-1" || m.Moves[0].To != "ph-h" {
		t.Errorf("within limits: %+v", m)
	}
	want := map[devices.ID]string{"a-1": "ph-e", "b-north": "ph-f", "b-south": "ph-g", "c-1": "ph-h"}
	for _, dry := range []bool{true, false} {
		m = moves{}
		if h.call("admin", "POST", "/api/v1/devices/area-moves", fmt.Sprintf(`{"dry_run":%v,"reason":"Nghị quyết mới"}`, dry), &m); m.DryRun != dry || m.Total != 6 || m.Moved != 4 || m.Left != 2 || len(m.Moves) != 4 || len(m.Unresolved) != 2 {
			t.Fatalf("dry %v: %+v", dry, m)
		}
		for _, x := range m.Moves {
			if x.To != want[x.ID] {
				t.Errorf("%s goes to %s", x.ID, x.To)
			}
			d, _ := h.srv.Registry.Get(x.ID)
			if now := map[bool]string{true: x.From, false: x.To}[dry]; d.Area != now {
				t.Errorf("dry %v: %s is in %s", dry, x.ID, d.Area)
			}
		}
		for _, x := range m.Unresolved {
			if !strings.Contains(x.Why, "several areas") || !slices.Equal(x.Among, []string{"ph-f", "ph-g"}) {
				t.Errorf("%+v", x)
			}
		}
	}
	if d, _ := h.srv.Registry.Get("a-1"); h.srv.Registry.AreaAt(d, before) != "xa-a" {
		t.Error("where it was is forgotten")
	}
	if got := listed("area_ended=true"); !slices.Equal(got, []string{"b-far", "b-nowhere"}) {
		t.Errorf("afterwards: %v", got)
	}
	var log struct{ Items []auditView }
	if h.call("auditor", "GET", "/api/v1/audit?action=device.move_all", "", &log); len(log.Items) != 1 || log.Items[0].Why != "Nghị quyết mới" {
		t.Errorf("%+v", log.Items)
	}
	if h.call("auditor", "GET", "/api/v1/audit?action=device.update&id=a-1", "", &log); len(log.Items) != 1 || !strings.Contains(string(log.Items[0].After), "ph-e") {
		t.Errorf("%+v", log.Items)
	}
	for body, field := range map[string]string{`{"area":"dong-hoi"}`: "area", `{"area":"nowhere"}`: "area", `{"reason":"` + strings.Repeat("x", 501) + `"}`: "reason"} {
		p = problem{}
		if res := h.call("admin", "POST", "/api/v1/devices/area-moves", body, &p); res.StatusCode != 422 || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v", body, res.StatusCode, p)
		}
	}
}
