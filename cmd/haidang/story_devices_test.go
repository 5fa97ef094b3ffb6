package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Somebody with a phone takes in a station that speaks, corrects what is known
// of it, and imports a table: first a wrong one, then the right one.
func TestStoryDevicesOnAPhone(t *testing.T) {
	s, _ := demo(t, nil)
	publish(t, s.MQTT, "ioc/v1/devices/qb-new-9/readings", `{"values":{"pm25":12}}`)
	s.eventually("the station waits", func() bool {
		var list items
		s.call("GET", "/api/v1/devices?life=discovered", nil, &list)
		return len(list.Items) == 1
	})
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ctx := browser(t, 800, 740)
	cards := func(n int) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`document.querySelectorAll(".cardlist > li").length === %d`, n), nil)
	}
	set := func(field, value string) chromedp.Action {
		return chromedp.Evaluate(fmt.Sprintf(`{const f = document.getElementById(%q); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); f.dispatchEvent(new Event("change"))}`, field, value), nil)
	}
	press := func(label string) chromedp.Action {
		return chromedp.Click(`//button[text()="`+label+`"]`, chromedp.BySearch)
	}
	unfold := func(summary string) chromedp.Action {
		return chromedp.Click(`//summary[text()="`+summary+`"]`, chromedp.BySearch)
	}
	says := func(words string) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`document.body.innerText.includes(%q)`, words), nil)
	}
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			var page string
			chromedp.Run(ctx, chromedp.Evaluate(`document.querySelector("main").innerText.slice(0, 1500)`, &page))
			t.Fatalf("%s: %v\n%s", what, err, page)
		}
	}
	shot := func(name string) {
		var png []byte
		var wide int
		run(name, chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide), chromedp.FullScreenshot(&png, 100))
		if wide > 390 {
			t.Errorf("%s: the page is %d pixels wide on a phone of 390", name, wide)
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
			t.Error(err)
		}
	}
	run("the list", chromedp.EmulateViewport(390, 844), chromedp.Navigate(s.HTTP+"/console?lang=vi#devices"), chromedp.WaitVisible("#devices-type"), says("Trạm không khí Ba Đồn"))
	run("who waits", set("devices-life", "discovered"), cards(1), says("1 bản tin đang chờ"))
	run("the approval", unfold("Duyệt thiết bị"), set("device-qb-new-9-type", "tram quan trac khong khi"), set("device-qb-new-9-name", "Trạm Nhật Lệ 9"), set("device-qb-new-9-area", "Đồng Hới"))
	shot("approve")
	run("approve", press("Duyệt thiết bị"), cards(0), set("devices-life", ""), set("devices-q", "nhat le 9"), cards(1), says("Trạm Nhật Lệ 9"), says("Bụi PM2.5 12 µg"))
	run("edit", chromedp.Click(`//a[contains(.,"Trạm Nhật Lệ 9")]`, chromedp.BySearch), chromedp.WaitVisible("#device-qb-new-9-vendor"), set("device-qb-new-9-vendor", "Envitech"), set("device-qb-new-9-lat", "17,47"), set("device-qb-new-9-lon", "106.62"))
	shot("edit")
	run("save", press("Lưu"), chromedp.Poll(`document.querySelector("h3[data-device] + p")?.textContent.includes("Envitech")`, nil), chromedp.Click(`//a[text()="← Thiết bị"]`, chromedp.BySearch), cards(1))
	var d map[string]any
	if s.call("GET", "/api/v1/devices/qb-new-9", nil, &d); d["vendor"] != "Envitech" || d["lat"] != 17.47 || d["area"] != "dong-hoi" || d["life"] != "active" {
		t.Errorf("it is %v", d)
	}
	run("a wrong table", unfold("Nhập danh sách thiết bị (CSV)"), chromedp.SetUploadFiles("#import-file", []string{file("sai.csv", "id;type;name\nqb-t-1;water_level;Trạm 1\nqb-t-2;toaster;Trạm 2\n")}),
		press("Kiểm tra"), says("Có 1 lỗi"), says("toaster"), chromedp.WaitNotPresent(`//button[text()="Nhập"]`, chromedp.BySearch))
	shot("import")
	run("the right one", chromedp.SetUploadFiles("#import-file", []string{file("dung.csv", "id;type;name\nqb-t-1;water_level;Trạm 1\n")}), press("Kiểm tra"), says("Sẽ thêm 1"), press("Nhập"), says("Đã thêm 1"))
	if status := s.call("GET", "/api/v1/devices/qb-t-1", nil, nil); status != http.StatusOK {
		t.Errorf("the imported device: %d", status)
	}
	var title string
	run("a label's code", chromedp.Navigate(s.HTTP+"/d/qb-new-9"), chromedp.Text("h3[data-device]", &title))
	if !strings.Contains(title, "Trạm Nhật Lệ 9") {
		t.Errorf("the code shows %q", title)
	}
}
