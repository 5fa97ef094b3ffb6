package web

import (
	"strings"
	"testing"

	"haidang/devices/sheet"
	"haidang/devices/table"
)

const badRows = "id,type,name,lat,lon\nqb-new-01,water_level,Trạm,17.6,106.5\nqb-new-02,water_level,Trạm,\"17,6\",106.5\nqb-new-03,lamp,Trạm,17.6,106.5\n"

// What is wrong in a table is said in the language that is asked for, and the
// table is as wrong in one as in the other.
func TestImportsAnswerInTheLanguageAsked(t *testing.T) {
	h := newHouse(t, nil)
	for wanted, want := range map[string][2]string{
		"":                  {"it has a decimal comma; write a point, or say decimal=comma", `"lamp" is no device type; GET /api/v1/device-types lists them`},
		"en":                {"it has a decimal comma; write a point, or say decimal=comma", `"lamp" is no device type; GET /api/v1/device-types lists them`},
		"fr, vi;q=0.5":      {"it has a decimal comma; write a point, or say decimal=comma", `"lamp" is no device type; GET /api/v1/device-types lists them`},
		"vi":                {"số thập phân viết bằng dấu phẩy; hãy viết dấu chấm, hoặc ghi decimal=comma", `"lamp" không phải loại thiết bị; xem danh sách tại GET /api/v1/device-types`},
		"en;q=0.3, vi-VN":   {"số thập phân viết bằng dấu phẩy; hãy viết dấu chấm, hoặc ghi decimal=comma", `"lamp" không phải loại thiết bị; xem danh sách tại GET /api/v1/device-types`},
		"not;;a=language,,": {"it has a decimal comma; write a point, or say decimal=comma", `"lamp" is no device type; GET /api/v1/device-types lists them`},
	} {
		heads := []string{"Content-Type", "text/csv", "Accept-Language", wanted}
		language := "en"
		if strings.Contains(want[0], "phẩy") {
			language = "vi"
		}
		var shown sheet.Import
		res := h.call("admin", "POST", "/api/v1/devices/import?dry_run=true", badRows, &shown, heads...)
		if res.StatusCode != 200 || shown.ErrorCount != 2 || shown.Errors[0].Reason != want[0] || shown.Errors[1].Reason != want[1] {
			t.Errorf("%q: %s %+v", wanted, res.Status, shown.Errors)
		}
		if res.Header.Get("Content-Language") != language || !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Accept-Language") {
			t.Errorf("%q: answered with %v", wanted, res.Header)
		}
		var p problem
		res = h.call("admin", "POST", "/api/v1/devices/import", badRows, &p, heads...)
		if res.StatusCode != 422 || len(p.Errors) != 2 || p.Errors[0] != (fieldError{"line 3, lat", want[0]}) || strings.HasPrefix(p.Detail, "bảng bị từ chối") != (language == "vi") {
			t.Errorf("%q: %s %+v", wanted, res.Status, p)
		}
	}
	var known struct{ Items []sheet.Import }
	h.call("admin", "GET", "/api/v1/imports", "", &known)
	for _, i := range known.Items {
		if len(i.Errors) != 2 || !strings.HasPrefix(i.Errors[0].Reason, "it has a decimal comma") {
			t.Errorf("an import is kept as %+v", i.Errors)
		}
	}
}

func TestProblemsAnswerInTheLanguageAsked(t *testing.T) {
	h := newHouse(t, nil)
	h.call("admin", "POST", "/api/v1/devices", `{"id":"qb-air-09","type":"air_station"}`, nil, "Content-Type", "application/json")
	for _, c := range []struct {
		method, path, body string
		status             int
		title, detail      string
	}{
		{"GET", "/api/v1/devices/nobody", "", 404, "Không tìm thấy", `không có thiết bị "nobody"`},
		{"GET", "/api/v1/devices?limit=x", "", 422, "Dữ liệu không hợp lệ", `limit: "x" không phải số nguyên từ 1 đến 10000`},
		{"POST", "/api/v1/work-orders", `{"crew":`, 400, "Yêu cầu không hợp lệ", "nội dung không phải JSON đúng như cần ở đây: JSON bị ngắt giữa chừng"},
		{"POST", "/api/v1/devices", `{"id":"qb-air-09","type":"air_station"}`, 409, "Xung đột với dữ liệu hiện có", "thiết bị qb-air-09 đã có"},
	} {
		var p problem
		res := h.call("admin", c.method, c.path, c.body, &p, "Accept-Language", "vi", "Content-Type", "application/json")
		if res.StatusCode != c.status || p.Title != c.title || p.Detail != c.detail {
			t.Errorf("%s %s: %d %q %q", c.method, c.path, res.StatusCode, p.Title, p.Detail)
		}
	}
	var areas struct{ Errors []table.Fault }
	h.call("admin", "POST", "/api/v1/areas/import", "code,name,type\nx,,ward\n", &areas, "Accept-Language", "vi", "Content-Type", "text/csv")
	if len(areas.Errors) != 1 || areas.Errors[0].Reason != "địa bàn phải có tên" {
		t.Errorf("areas: %+v", areas.Errors)
	}
}
