package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/sheet"
)

// ids are those of a list.
func (h *house) ids(path string) (ids []string, total int, next string) {
	h.t.Helper()
	var page struct {
		Items []struct{ ID string }
		Total int
		Next  string
	}
	if res := h.call("viewer", "GET", path, "", &page); res.StatusCode != 200 {
		h.t.Fatalf("%s: %d", path, res.StatusCode)
	}
	for _, x := range page.Items {
		ids = append(ids, x.ID)
	}
	return ids, page.Total, page.Next
}

func TestDevicesAreFoundByWhatIsKnownOfThem(t *testing.T) {
	h := newHouse(t, nil)
	for _, body := range []string{
		`{"id":"cam-1","type":"traffic_camera","name":"Cầu Nhật Lệ","area":"dong-hoi","agency":"cong-an-tinh","vendor":"Hik","labels":["cao"]}`,
		`{"id":"cam-2","type":"traffic_camera","name":"Ấu Triệu","area":"le-thuy","vendor":"Hik","cohort":"2024","serial":"SN-Đ7"}`,
		`{"id":"gw-1","type":"generic","network":"LoRa"}`,
		`{"id":"air-1","type":"air_station","name":"Bàu Tró","gateway":"GW-1","life":"pending"}`,
	} {
		if res := h.call("operator", "POST", "/api/v1/devices", body, nil); res.StatusCode != 201 {
			t.Fatalf("%s: %d", body, res.StatusCode)
		}
	}
	if res := h.call("operator", "POST", "/api/v1/devices/gw-1/life", `{"life":"retired","reason":"đã thay"}`, nil); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	h.call("operator", "POST", "/api/v1/devices/cam-2/readings", `{"values":{"count":3}}`, nil)
	h.eventually("cam-2 was heard", func() bool { return !h.srv.Tracker.LastSeen("cam-2").IsZero() })
	for query, want := range map[string]string{
		"": "air-1 cam-1 cam-2", "life=all": "air-1 cam-1 cam-2 gw-1", "life=retired": "gw-1", "life=pending": "air-1", "life=active&type=traffic_camera": "cam-1 cam-2",
		"area=le-thuy": "cam-2", "area=quang-tri": "cam-1 cam-2", "area=con-co": "", "agency=cong-an-tinh": "cam-1", "vendor=Hik": "cam-1 cam-2", "cohort=2024": "cam-2", "network=LoRa&life=all": "gw-1", "gateway=gw-1": "air-1",
		"label=cao": "cam-1", "q=sn-d7": "cam-2", "q=cau+nhat": "cam-1", "state=live": "cam-2", "state=never&type=traffic_camera": "cam-1",
		"sort=-id": "cam-2 cam-1 air-1", "sort=name": "cam-2 air-1 cam-1", "sort=-name": "cam-1 air-1 cam-2", "sort=last_seen": "cam-2 air-1 cam-1", "type=&area=": "air-1 cam-1 cam-2",
	} {
		ids, total, next := h.ids("/api/v1/devices?" + query)
		if got := strings.Join(ids, " "); got != want || total != len(ids) || next != "" {
			t.Errorf("%s: %s of %d, next %q; want %s", query, got, total, next, want)
		}
	}
	for _, sort := range []string{"id", "-name", "last_seen"} {
		whole, _, _ := h.ids("/api/v1/devices?life=all&sort=" + sort)
		var got []string
		for cursor, n := "", 0; n == 0 || cursor != ""; n++ {
			ids, total, next := h.ids("/api/v1/devices?life=all&limit=1&sort=" + sort + "&cursor=" + cursor)
			if total != 4 || n > 4 {
				t.Fatalf("%s: total %d on page %d", sort, total, n)
			}
			got, cursor = append(got, ids...), next
		}
		if !slices.Equal(got, whole) {
			t.Errorf("%s: page by page %v, at once %v", sort, got, whole)
		}
	}
	for query, field := range map[string]string{"life=dead": "life", "state=dead": "state", "sort=colour": "sort", "sort=-": "sort", "tpye=x": "tpye", "limit=0": "limit", "sort=name&cursor=cam-1": "cursor", "life=discovered&cursor=x": "cursor"} {
		var p problem
		if res := h.call("viewer", "GET", "/api/v1/devices?"+query, "", &p); res.StatusCode != 422 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v", query, res.StatusCode, p)
		}
	}
}

// An agency that owns a device stays; a retired one keeps it, and gets no other.
func TestAgencyOfDevices(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/agencies", `{"id":"doi-1","name":"Đội 1"}`, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"a","type":"generic","agency":"doi-1"}`, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"b","type":"generic"}`, nil)
	if res := h.call("operator", "DELETE", "/api/v1/agencies/doi-1", "", nil); res.StatusCode != 409 {
		t.Errorf("it was deleted: %d", res.StatusCode)
	}
	h.call("operator", "PUT", "/api/v1/agencies/doi-1", `{"name":"Đội 1","retired":true}`, nil)
	if res := h.call("operator", "PATCH", "/api/v1/devices/a", `{"name":"x"}`, nil, "If-Match", "*"); res.StatusCode != 200 {
		t.Errorf("what it has: %d", res.StatusCode)
	}
	if res := h.call("operator", "PATCH", "/api/v1/devices/b", `{"agency":"doi-1"}`, nil, "If-Match", "*"); res.StatusCode != 422 {
		t.Errorf("another: %d", res.StatusCode)
	}
}

func TestTwoEditorsDoNotOverwriteEachOther(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"a","type":"generic","name":"một","lat":17,"lon":106,"notes":"giữ"}`, nil)
	tag := h.call("viewer", "GET", "/api/v1/devices/a", "", nil).Header.Get("ETag")
	var d deviceView
	res := h.call("operator", "PATCH", "/api/v1/devices/A", `{"name":"hai","lat":null,"lon":null}`, &d, "If-Match", tag)
	if res.StatusCode != 200 || d.Name != "hai" || d.Lat != nil || d.Notes != "giữ" || res.Header.Get("ETag") == tag {
		t.Fatalf("%d %+v", res.StatusCode, d)
	}
	var p problem
	if res := h.call("integrator", "PATCH", "/api/v1/devices/a", `{"name":"ba"}`, &p, "If-Match", tag); res.StatusCode != 412 || !strings.Contains(p.Detail, "read it again") {
		t.Errorf("the second: %d %+v", res.StatusCode, p)
	}
	if res := h.call("integrator", "PATCH", "/api/v1/devices/a", `{"name":"ba"}`, &p); res.StatusCode != 428 || !strings.Contains(p.Detail, "If-Match") {
		t.Errorf("without a version: %d %+v", res.StatusCode, p)
	}
	for head, status := range map[string]int{"*": 200, `"x"`: 400, `W/"1"`: 400} {
		if res := h.call("integrator", "PATCH", "/api/v1/devices/a", `{"name":"ba"}`, nil, "If-Match", head); res.StatusCode != status {
			t.Errorf("If-Match %s: %d", head, res.StatusCode)
		}
	}
	for body, field := range map[string]string{`{"lat":17}`: "lat", `{"lat":17,"lon":null}`: "lat", `{"lat":"x","lon":1}`: "lat", `{"lat":91,"lon":1}`: "position", `{"agency":"x"}`: "agency", `{"gateway":"a"}`: "gateway", `{"expected_interval_s":-1}`: "expected_interval_s"} {
		if res := h.call("operator", "PATCH", "/api/v1/devices/a", body, &p, "If-Match", "*"); res.StatusCode != 422 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v", body, res.StatusCode, p)
		}
	}
	es, err := h.srv.Audit.List(t.Context(), audit.Filter{Action: "device.update", ID: "a"})
	if err != nil || len(es) != 2 || es[1].Who != "operator" || es[0].Who != "integrator" || es[1].Address == "" {
		t.Errorf("recorded %+v, %v", es, err)
	}
}

func TestLifeOverTheAPI(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"a","type":"air_station"}`, nil)
	life := func(as, body string, status int) {
		t.Helper()
		if res := h.call(as, "POST", "/api/v1/devices/a/life", body, nil); res.StatusCode != status {
			t.Errorf("%s %s: %d, want %d", as, body, res.StatusCode, status)
		}
	}
	send := func(code string) {
		t.Helper()
		var p problem
		res := h.call("operator", "POST", "/api/v1/devices/a/readings", `{"ts":"`+now()+`","values":{"pm25":1}}`, &p)
		if code == "" && res.StatusCode != 202 || code != "" && (res.StatusCode != 422 || p.Errors[0].Field != code) {
			t.Errorf("sent: %d %+v, want %q", res.StatusCode, p, code)
		}
	}
	life("operator", `{"life":"suspended"}`, 422)
	life("operator", `{"life":"suspended","reason":"sửa chữa","replay":true}`, 422)
	life("operator", `{"life":"pending","reason":"sửa chữa"}`, 409)
	life("operator", `{"life":"suspended","reason":"sửa chữa"}`, 200)
	send("device_suspended")
	var answer struct{ Replayed map[string]int }
	h.call("operator", "POST", "/api/v1/devices/a/life", `{"life":"active","reason":"đã sửa","replay":true}`, &answer)
	if answer.Replayed["stored"] != 1 {
		t.Errorf("replayed %+v", answer)
	}
	send("")
	life("operator", `{"life":"retired","reason":"mất trộm"}`, 200)
	send("device_retired")
	life("operator", `{"life":"active","reason":"tìm thấy"}`, 409)
	life("admin", `{"life":"active","reason":"tìm thấy"}`, 200)
	send("")
	if n, err := h.srv.DeadLetters.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("%d wait, %v: what was not asked for stays", n, err)
	}
}

func TestImportOverTheAPI(t *testing.T) {
	h := newHouse(t, nil)
	csv := []string{"Content-Type", "text/csv"}
	const data = "id,type,name\na,generic,Một\nb,generic,Hai\n"
	var i sheet.Import
	if res := h.call("operator", "POST", "/api/v1/devices/import?dry_run=true", data, &i, csv...); res.StatusCode != 200 || i.Created != 2 || !i.DryRun || i.By != "operator" {
		t.Errorf("dry run: %d %+v", res.StatusCode, i)
	}
	var p problem
	if res := h.call("operator", "POST", "/api/v1/devices/import", data+"c,toaster,\nb,generic,\n", &p, csv...); res.StatusCode != 422 || len(p.Errors) != 2 || p.Errors[0].Field != "line 4, type" || p.Errors[1].Field != "line 5, id" {
		t.Errorf("two bad rows: %d %+v", res.StatusCode, p)
	}
	if res := h.call("operator", "POST", "/api/v1/devices/import", "id,colour\n", &p, csv...); res.StatusCode != 422 || p.Errors[0].Field != "line 1, colour" {
		t.Errorf("a bad column: %d %+v", res.StatusCode, p)
	}
	for query, field := range map[string]string{"dry_run=perhaps": "dry_run", "decimal=dot": "decimal", "dryrun=true": "dryrun"} {
		if res := h.call("operator", "POST", "/api/v1/devices/import?"+query, data, &p, csv...); res.StatusCode != 422 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v", query, res.StatusCode, p)
		}
	}
	if ids, _, _ := h.ids("/api/v1/devices"); len(ids) != 0 {
		t.Fatalf("%v are there", ids)
	}
	res := h.call("operator", "POST", "/api/v1/devices/import?async=true&secrets=true", data, &i, csv...)
	if res.StatusCode != 202 || res.Header.Get("Location") != "/api/v1/imports/"+i.ID {
		t.Fatalf("%d %+v", res.StatusCode, i)
	}
	h.eventually("the import ends", func() bool { h.call("operator", "GET", "/api/v1/imports/"+i.ID, "", &i); return i.State == sheet.Done })
	if i.Created != 2 || i.Secrets != 2 {
		t.Errorf("%+v", i)
	}
	if res := h.call("viewer", "POST", "/api/v1/imports/"+i.ID+"/secrets", "", nil); res.StatusCode != 403 {
		t.Errorf("a viewer sees secrets: %d", res.StatusCode)
	}
	if ids, _, _ := h.ids("/api/v1/devices"); len(ids) != 2 {
		t.Errorf("%v are there", ids)
	}
}

func TestPhotoOfADevice(t *testing.T) {
	h := newHouse(t, nil)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"a","type":"generic"}`, nil)
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	var d deviceView
	if res := h.call("operator", "PUT", "/api/v1/devices/a/photo", pic.String(), &d, "Content-Type", "image/png"); res.StatusCode != 200 || d.Photo == "" {
		t.Fatalf("%d %+v", res.StatusCode, d)
	}
	if res := h.call("", "GET", d.Photo, "", nil); res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%s: %d", d.Photo, res.StatusCode)
	}
	if res := h.call("operator", "PUT", "/api/v1/devices/a/photo", "<svg onload=alert(1)>", nil, "Content-Type", "image/png"); res.StatusCode != 422 {
		t.Errorf("what is no photo: %d", res.StatusCode)
	}
	if h.call("operator", "DELETE", "/api/v1/devices/a/photo", "", &d); d.Version != 3 {
		t.Errorf("%+v", d)
	}
	if got, _ := h.srv.Registry.Get("a"); got.Photo != "" {
		t.Errorf("it has the photo %s", got.Photo)
	}
}

// A label shows what stands in the registry, and runs none of it.
func TestLabelsAreEscaped(t *testing.T) {
	h := newHouse(t, nil)
	office, err := h.srv.Agencies.Get("so-nnmt")
	if err != nil {
		t.Fatal(err)
	}
	called := *office
	called.Phone = "0232 3822 270"
	kept, err := h.srv.Agencies.Update(t.Context(), called)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 25 {
		h.call("operator", "POST", "/api/v1/devices", fmt.Sprintf(`{"id":"d-%02d","type":"generic","name":"Trạm <script>alert(1)</script> \" %d","agency":"so-nnmt"}`, i, i), nil)
	}
	page := h.text("/api/v1/devices/labels?base=https://ioc.example.vn/")
	for what, n := range map[string]int{"<article": 25, "<section": 2, "<script>": 0, "&lt;script&gt;": 25, "ĐT " + kept.Phone + "<": 25, "Sở Nông nghiệp và Môi trường": 25, ">d-07<": 1} {
		if got := strings.Count(page, what); got != n {
			t.Errorf("%q is there %d times, want %d", what, got, n)
		}
	}
	if one := h.text("/api/v1/devices/labels?q=d-07&lang=en"); strings.Count(one, "<article") != 1 || !strings.Contains(one, "Tel.") {
		t.Errorf("one label: %.300s", one)
	}
	if one := h.text("/api/v1/devices/labels?id=D-07"); strings.Count(one, "<article") != 1 || !strings.Contains(one, "d-07") {
		t.Errorf("the label of one device: %.300s", one)
	}
	if status := h.call("viewer", "GET", "/api/v1/devices/labels?id=d-99999", "", nil).StatusCode; status != 404 {
		t.Errorf("the label of no device: %d", status)
	}
	if none := h.text("/api/v1/devices/labels?q=zzz"); !strings.Contains(none, "Không có thiết bị") {
		t.Errorf("no label: %.300s", none)
	}
	for _, base := range []string{"javascript:alert(1)", "https://", "ioc.example.vn", "https://u:p@x", "https://x/?a"} {
		if res := h.call("viewer", "GET", "/api/v1/devices/labels?base="+strings.ReplaceAll(base, "?", "%3F"), "", nil); res.StatusCode != 422 {
			t.Errorf("base %s: %d", base, res.StatusCode)
		}
	}
}

func TestTypesOverTheAPI(t *testing.T) {
	h := newHouse(t, nil)
	var v typeView
	res := h.call("viewer", "GET", "/api/v1/device-types/air_station", "", &v)
	if res.StatusCode != 200 || !v.Shipped || v.Contract != devices.Periodic || len(v.Metrics) < 10 {
		t.Fatalf("%d %+v", res.StatusCode, v)
	}
	send := func(as string, v typeView, query string, status int, heads ...string) (p problem) {
		t.Helper()
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		res := h.call(as, "PUT", "/api/v1/device-types/"+string(v.ID)+query, string(b), &p, heads...)
		if res.StatusCode != status {
			t.Fatalf("%s: %d, want %d: %+v", query, res.StatusCode, status, p)
		}
		return p
	}
	tag := res.Header.Get("ETag")
	ppb := v
	ppb.Metrics = slices.Clone(v.Metrics)
	ppb.Metrics[0].Unit = "mg/m³"
	send("operator", ppb, "", 200, "If-Match", tag) // nothing was sent in the old one
	send("operator", v, "", 412, "If-Match", tag)
	h.call("operator", "POST", "/api/v1/devices", `{"id":"a","type":"air_station"}`, nil)
	h.call("operator", "POST", "/api/v1/devices/a/readings", `{"values":{"pm25":1}}`, nil)
	h.eventually("a was heard", func() bool { return !h.srv.Tracker.LastSeen("a").IsZero() })
	if p := send("operator", v, "", 409); !strings.Contains(p.Detail, "pm25") {
		t.Errorf("another unit: %+v", p)
	}
	send("operator", v, "?units=change", 200)
	if typ, _ := h.srv.Registry.Type("air_station"); typ.Metric("pm25").Unit != "µg/m³" || !typ.Edited {
		t.Errorf("the type is %+v", typ)
	}
	bad := v
	bad.Metrics = append(slices.Clone(v.Metrics), metricView{Name: "x", Label: label{"X", ""}})
	if p := send("operator", bad, "", 422); p.Errors[0].Field != fmt.Sprintf("metrics[%d].label.en", len(v.Metrics)) {
		t.Errorf("%+v", p)
	}
	for id, status := range map[string]int{"air_station": 409, "generic": 409, "vehicle": 204, "nobody": 404} {
		if res := h.call("operator", "DELETE", "/api/v1/device-types/"+id, "", nil); res.StatusCode != status {
			t.Errorf("delete %s: %d", id, res.StatusCode)
		}
	}
	text := h.text("/api/v1/device-types/export")
	yaml := []string{"Content-Type", "application/yaml"}
	if res := h.call("operator", "POST", "/api/v1/device-types/import", text, nil, yaml...); res.StatusCode != 200 {
		t.Errorf("what was exported: %d", res.StatusCode)
	}
	var p problem
	wrong := strings.Replace(text, "max: 1000.0\n", "max: -1\n", 1)
	if res := h.call("operator", "POST", "/api/v1/device-types/import", wrong, &p, yaml...); res.StatusCode != http.StatusUnprocessableEntity || !strings.HasPrefix(p.Errors[0].Detail, "line ") || !strings.Contains(p.Errors[0].Field, "metrics[0].max") {
		t.Errorf("a wrong bound: %d %+v", res.StatusCode, p)
	}
}

// What devices said before a table took them in is kept once it has, with its
// own times; of those that it leaves out, or takes in as pending, it waits on.
func TestImportReplaysWhatWaits(t *testing.T) {
	h := newHouse(t, withFormats)
	for _, id := range []string{"New-1", "new-1", "new-2", "waits", "stranger"} {
		h.call("operator", "POST", "/api/v1/formats/plain", id+" pm25 7", nil)
	}
	const table = "id,type,life\nnew-1,air_station,active\nnew-2,air_station,\nquiet,air_station,active\nwaits,air_station,pending\n"
	var sum struct {
		State, Phase, Message          string
		Created, Replayed, Done, Total int
	}
	h.call("operator", "POST", "/api/v1/devices/import?dry_run=true", table, &sum)
	if sum.Replayed != 0 || sum.State != "done" {
		t.Errorf("a dry run: %+v", sum)
	}
	h.call("operator", "POST", "/api/v1/devices/import", table, &sum)
	if sum.State != "done" || sum.Created != 4 || sum.Replayed != 3 || sum.Phase != "replaying" || sum.Done != 2 || sum.Total != 2 || sum.Message != "" {
		t.Errorf("%+v", sum)
	}
	var page struct{ Items []readingView }
	if h.call("viewer", "GET", "/api/v1/devices/new-1/readings", "", &page); len(page.Items) != 2 {
		t.Errorf("%+v", page.Items)
	}
	left, err := h.srv.DeadLetters.Waiting(t.Context(), waitCodes)
	if err != nil || len(left) != 2 {
		t.Errorf("what waits is of %v, %v", left, err)
	}
}
