package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// importAreas applies a table of areas that must be right.
func importAreas(t *testing.T, s *story, table string) {
	t.Helper()
	send := func(query string) (p struct {
		Token, Applied any
	}) {
		req, err := http.NewRequest("POST", s.HTTP+"/api/v1/areas/import"+query, strings.NewReader(table))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		req.Header.Set("Content-Type", "text/csv")
		res, err := patient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	token, _ := send("").Token.(string)
	if p := send("?preview=" + token); p.Applied != true {
		t.Fatalf("the areas are not taken: %+v", p)
	}
}

// Two communes end, and the officer is told on the page of devices: what can be
// moved is listed with where to, what cannot with why, and after a question all
// of it is moved. A calendar with a mistake, and put right, goes with it.
func TestStoryDevicesLeaveAreasThatEnded(t *testing.T) {
	s := served(t)
	const head = "code,name,type,parent,valid_from,valid_to,predecessors\n"
	importAreas(t, s, head+"xa-a,A,Xã,quang-tri,2025-07-01,,\nxa-b,B,Xã,quang-tri,2025-07-01,,\n")
	for id, area := range map[string]string{"a-1": "xa-a", "a-2": "xa-a", "b-1": "xa-b", "stays": "dong-hoi"} {
		if got := s.call("POST", "/api/v1/devices", map[string]string{"id": id, "type": "air_station", "area": area}, nil); got != 201 {
			t.Fatal(got)
		}
	}
	const day = "2026-09-01"
	importAreas(t, s, head+"xa-a,A,Xã,quang-tri,2025-07-01,"+day+",\nxa-b,B,Xã,quang-tri,2025-07-01,"+day+",\nph-e,E,Phường,quang-tri,"+day+",,xa-a:1\nph-f,F,Phường,quang-tri,"+day+",,xa-b:0.6\nph-g,G,Phường,quang-tri,"+day+",,xa-b:0.4\n")
	areaOf := func(id string) (d struct{ Area string }) { s.call("GET", "/api/v1/devices/"+id, nil, &d); return d }

	d := desk{t, browser(t, 1000, 900)}
	var ways, left []string
	d.run("the notice", enter(s), chromedp.Click(`.tabs a[href="#devices"]`), says("3 thiết bị còn ghi ở địa bàn đã chấm dứt"), chromedp.Click("#area-ended a"), chromedp.WaitVisible("#moves-sum"),
		says("3 thiết bị: 2 chuyển được, 1 chưa rõ nơi chuyển."), says("thành F, G"), chromedp.Evaluate(`[...document.querySelectorAll("[data-to]")].map((x) => x.dataset.from + " " + x.dataset.to)`, &ways),
		chromedp.Evaluate(`[...document.querySelectorAll("[data-unresolved]")].map((x) => x.dataset.unresolved)`, &left))
	if !slices.Equal(ways, []string{"xa-a ph-e"}) || !slices.Equal(left, []string{"b-1"}) {
		t.Errorf("would move %q, and not %q", ways, left)
	}
	d.run("a second thought", fill("moves-why", "Nghị quyết 12/NQ"), press("Chuyển 2 thiết bị"), chromedp.WaitVisible("dialog"), press("Thôi"), chromedp.WaitNotPresent("dialog"))
	if got := areaOf("a-1").Area; got != "xa-a" {
		t.Errorf("after no it is in %s", got)
	}
	d.run("moved", press("Chuyển 2 thiết bị"), chromedp.WaitVisible("dialog"), chromedp.Click("dialog .danger"), says("Đã chuyển 2 thiết bị; 1 thiết bị giữ nguyên."), says("1 thiết bị: 0 chuyển được"))
	for id, want := range map[string]string{"a-1": "ph-e", "a-2": "ph-e", "b-1": "xa-b", "stays": "dong-hoi"} {
		if got := areaOf(id).Area; got != want {
			t.Errorf("%s is in %s", id, got)
		}
	}
	var log items
	if s.call("GET", "/api/v1/audit?action=device.move_all", nil, &log); len(log.Items) != 1 || log.Items[0]["why"] != "Nghị quyết 12/NQ" {
		t.Errorf("recorded is %v", log.Items)
	}

	d.run("a calendar", chromedp.Click(`.tabs a[href="#calendars"]`), chromedp.WaitVisible(`[data-calendar="hanh-chinh"] a`), chromedp.Click(`[data-calendar="hanh-chinh"] a`), chromedp.WaitVisible("#calendar-mon"),
		fill("calendar-mon", "7h30 - 11h30, 25:00-26:00"), press("Lưu"), blames("calendar-mon", "Viết giờ từ-đến"), fill("calendar-mon", "7h - 11h30; 13:30-17:00"), press("Thứ Ba đến thứ Sáu như thứ Hai"),
		press("Thêm ngày nghỉ"), fill("off-3-from", "06/02/2027"), fill("off-3-to", "12/02"), fill("off-3-name", "Tết Nguyên đán"), press("Lưu"), chromedp.Poll(`document.getElementById("off-3-to-fault").textContent !== ""`, nil),
		fill("off-3-to", "12/02/2027"), press("Lưu"), chromedp.WaitVisible(`[data-calendar="hanh-chinh"]`), says("4 dịp nghỉ"))
	if got := s.call("POST", "/api/v1/agencies", map[string]string{"id": "ubnd-e", "name": "UBND phường E", "calendar": "hanh-chinh"}, nil); got != 201 {
		t.Fatal(got)
	}
	d.run("who follows it retires", chromedp.Navigate(s.HTTP+"/bang"), chromedp.WaitVisible(".tabs"), chromedp.Navigate(s.HTTP+"/bang#calendars/hanh-chinh"), chromedp.WaitVisible(`a[href="#agencies/ubnd-e"]`), chromedp.WaitNotPresent(`//button[text()="Xóa"]`, chromedp.BySearch),
		chromedp.Click(`a[href="#agencies/ubnd-e"]`), press("Ngừng hoạt động"), chromedp.WaitVisible("dialog"), chromedp.Click("dialog .danger"), says("đã ngừng"))
	var got struct {
		Items []struct {
			ID   string
			Week map[string][]string
			Off  []map[string]string
		}
	}
	s.call("GET", "/api/v1/calendars", nil, &got)
	for _, c := range got.Items {
		if c.ID == "hanh-chinh" && (strings.Join(c.Week["fri"], " ") != "07:00-11:30 13:30-17:00" || len(c.Week) != 5 || c.Off[3]["from"] != "2027-02-06" || c.Off[3]["to"] != "2027-02-12") {
			t.Errorf("it is %+v", c)
		}
	}
}
