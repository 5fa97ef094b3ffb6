package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// served is the program with accounts, called by an administrator.
func served(t *testing.T) *story {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "[[tokens]]\nname = \"quan-tri\"\nrole = \"admin\"\nsha256 = %q\n", secretSHA256), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, (&serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}).run)
	s.token = secret
	return s
}

// enter signs the administrator in.
func enter(s *story) chromedp.Action {
	return chromedp.Tasks{chromedp.Navigate(s.HTTP + "/bang?lang=vi"), chromedp.WaitVisible("#account", chromedp.ByID), press("Đăng nhập bằng mã truy cập"),
		chromedp.SendKeys("#token", secret, chromedp.ByID), chromedp.Click(".signin button.primary"), chromedp.WaitVisible(".tabs")}
}

// desk is the console in a real browser.
type desk struct {
	t   *testing.T
	ctx context.Context
}

func (d desk) run(what string, actions ...chromedp.Action) {
	d.t.Helper()
	if err := chromedp.Run(d.ctx, actions...); err != nil {
		var page string
		chromedp.Run(d.ctx, chromedp.Evaluate(`document.body.innerText.slice(0, 2500)`, &page))
		d.t.Fatalf("%s: %v\n%s", what, err, page)
	}
}

// fill writes into a field as somebody does who types.
func fill(id, value string) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`{const f = document.getElementById(%q); f.focus(); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); f.dispatchEvent(new Event("change", {bubbles: true}))}`, id, value), nil)
}

func press(label string) chromedp.Action {
	return chromedp.Click(`//button[text()="`+label+`"]`, chromedp.BySearch)
}

func unfold(summary string) chromedp.Action {
	return chromedp.Click(`//summary[text()="`+summary+`"]`, chromedp.BySearch)
}

func says(words string) chromedp.Action {
	return chromedp.Poll(fmt.Sprintf(`document.body.innerText.includes(%q)`, words), nil)
}

// blames waits for words beside a field.
func blames(id, words string) chromedp.Action {
	return chromedp.Poll(fmt.Sprintf(`document.getElementById(%q)?.textContent.includes(%q)`, id+"-fault", words), nil)
}

// Somebody registers a station by the form, first with mistakes, each told
// beside its field; is told before losing what was typed; is overtaken by
// another who edits the same device; and changes its secret without a gap.
func TestStoryDeviceByTheForm(t *testing.T) {
	s := served(t)
	d := desk{t, browser(t, 1200, 900)}
	var active, first string
	d.run("mistakes", enter(s), chromedp.Navigate(s.HTTP+"/bang?lang=vi#devices/+new"), chromedp.WaitVisible("#device-new-id"),
		fill("device-new-id", "trạm 1"), fill("device-new-lat", "17,48"), fill("device-new-installed_at", "31/02/2026"), press("Đăng ký thiết bị"),
		blames("device-new-id", "không dấu"), blames("device-new-type", "Cần điền"), blames("device-new-lon", "cả hai"), blames("device-new-installed_at", "Không có ngày này"),
		chromedp.Evaluate(`document.activeElement.id`, &active))
	if active != "device-new-id" {
		t.Errorf("the first mistake is not in hand, but %q", active)
	}
	var where string
	d.run("leaving asks", chromedp.Click(`.tabs a[href="#alerts"]`), chromedp.WaitVisible("dialog"), says("Rời đi mà không lưu?"), press("Thôi"), chromedp.WaitNotPresent("dialog"), chromedp.Evaluate(`location.hash`, &where))
	if where != "#devices/+new" {
		t.Errorf("after staying one is at %s", where)
	}
	d.run("put right", fill("device-new-id", "qb-form-1"), fill("device-new-name", "Trạm Nhật Lệ"), chromedp.Evaluate(`{const f = document.getElementById("device-new-type"); f.focus(); f.select()}`, nil),
		chromedp.SendKeys("#device-new-type", "tram muc nuoc\r", chromedp.ByID), fill("device-new-area", "dong hoi"), fill("device-new-lon", "106.62"), fill("device-new-installed_at", "20/11/2026"),
		press("Đăng ký thiết bị"), says("Đã đăng ký Trạm Nhật Lệ."), chromedp.Text(".secret dd:last-of-type code", &first))
	var got map[string]any
	if s.call("GET", "/api/v1/devices/qb-form-1", nil, &got); got["type"] != "water_level" || got["area"] != "dong-hoi" || got["lat"] != 17.48 || got["lon"] != 106.62 || got["installed_at"] != "2026-11-20" {
		t.Errorf("registered is %v", got)
	}
	if status := send(t, s, "qb-form-1", first); status != http.StatusAccepted {
		t.Errorf("the secret that was shown: %d", status)
	}

	d.run("open", chromedp.Click(`.place-of-work a.primary`), chromedp.WaitVisible("#device-qb-form-1-vendor"))
	req, err := http.NewRequest("PATCH", s.HTTP+"/api/v1/devices/qb-form-1", strings.NewReader(`{"network":"Viettel 4G"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-Match", "*")
	req.Header.Set("Authorization", "Bearer "+s.token)
	if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != 200 {
		t.Fatalf("the other editor: %v %v", res, err)
	}
	d.run("overtaken", fill("device-qb-form-1-vendor", "Envitech"), press("Lưu"), says("Người khác vừa sửa thiết bị này"), says("Mạng: – → Viettel 4G"), press("Lưu"),
		chromedp.Poll(`document.querySelector("h3[data-device] + p")?.textContent.includes("Envitech")`, nil))
	if s.call("GET", "/api/v1/devices/qb-form-1", nil, &got); got["vendor"] != "Envitech" || got["network"] != "Viettel 4G" {
		t.Errorf("after both edits it is %v", got)
	}

	var second string
	d.run("a second secret", unfold("Cấp thêm mật khẩu"), chromedp.WaitVisible("#credentials form"), press("Cấp thêm mật khẩu"), chromedp.WaitVisible("#credentials .secret"),
		chromedp.Text("#credentials .secret dd:last-of-type code", &second), says("Đang có hai"))
	for _, key := range []string{first, second} {
		if status := send(t, s, "qb-form-1", key); status != http.StatusAccepted {
			t.Errorf("with two secrets one gives %d", status)
		}
	}
	d.run("the old one ends", chromedp.Click(`#credentials li:last-child button`), chromedp.WaitVisible("dialog"), chromedp.Click("dialog .danger"), says("đã thu hồi"))
	if status := send(t, s, "qb-form-1", second); status != http.StatusAccepted {
		t.Errorf("the second secret: %d", status)
	}
	if status := send(t, s, "qb-form-1", first); status != http.StatusUnauthorized {
		t.Errorf("the revoked secret: %d", status)
	}
}

// send posts a reading as a device with its secret.
func send(t *testing.T, s *story, device, secret string) int {
	t.Helper()
	req, err := http.NewRequest("POST", s.HTTP+"/api/v1/devices/"+device+"/readings", strings.NewReader(`{"values":{"level_m":1.2}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(device, secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// An administrator makes a role of the province's own and gives it to somebody
// within one area: they see that area's devices, and no section beyond.
func TestStoryRoleWithinAnArea(t *testing.T) {
	s := served(t)
	for id, area := range map[string]string{"dh-1": "dong-hoi", "lt-1": "le-thuy"} {
		if status := s.call("POST", "/api/v1/devices", map[string]string{"id": id, "type": "traffic_camera", "name": "Camera " + id, "area": area}, nil); status != 201 {
			t.Fatal(status)
		}
	}
	d := desk{t, browser(t, 1200, 900)}
	var given, tabs, cards string
	tick := func(action string) chromedp.Action { return chromedp.Click(`[id="may-`+action+`"]`, chromedp.ByQuery) }
	d.run("the role", enter(s), chromedp.Navigate(s.HTTP+"/bang#roles/+new"), chromedp.WaitVisible("#role-id"), fill("role-id", "truc-camera"), fill("role-name-vi", "Trực camera"), fill("role-name-en", "Camera desk"),
		press("Lưu"), blames("role-id", "gạch dưới"), says("Hãy chọn ít nhất một quyền"), fill("role-id", "truc_camera"), tick("device.read"), tick("alert.read"), press("Lưu"), chromedp.WaitVisible(`[data-role="truc_camera"]`))
	d.run("the account", chromedp.Click(`.tabs a[href="#people"]`), unfold("Thêm tài khoản"), chromedp.WaitVisible("#account-new-name"), fill("account-new-name", "lan"), fill("new-full", "Nguyễn Thị Lan"), fill("new-role-0", "truc_camera"), fill("new-area-0", "dong hoi"),
		press("Lưu"), chromedp.WaitVisible(".secret"), chromedp.Text(".secret dd:last-of-type code", &given))
	const password = "bốn con chim sẻ trên mái"
	keys := func(id, text string) chromedp.Action { return chromedp.SendKeys("#"+id, text, chromedp.ByID) }
	d.run("their first day", press("Đăng xuất"), chromedp.WaitVisible("#account", chromedp.ByID), keys("account", "lan"), keys("password", given), chromedp.Click(".signin button.primary"),
		chromedp.WaitVisible("#new", chromedp.ByID), keys("old", given), keys("new", password), keys("again", password), chromedp.Click(".signin button.primary"), chromedp.WaitVisible(".tabs"),
		chromedp.Evaluate(`[...document.querySelectorAll(".tabs a")].map((a) => a.hash).join("")`, &tabs))
	if tabs != "#alerts#devices#types#commands#agencies#calendars#areas" {
		t.Errorf("they see the sections %s", tabs)
	}
	d.run("their devices", chromedp.Click(`.tabs a[href="#devices"]`), says("Camera dh-1"), chromedp.Evaluate(`[...document.querySelectorAll(".cardlist > li")].map((x) => x.dataset.device).join(" ")`, &cards))
	if cards != "dh-1" {
		t.Errorf("they see %s", cards)
	}
	d.run("another's device", chromedp.Navigate(s.HTTP+"/bang#devices/lt-1"), says("không có quyền"))
}

// A table of agencies with a bad row changes nothing and names the row; put
// right it is taken. A type is edited: an impossible range is told at its metric.
func TestStoryAgenciesAndATypeEdited(t *testing.T) {
	s, _ := demo(t, nil)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const heading = "mã;tên;điện thoại;địa bàn\n"
	d := desk{t, browser(t, 1200, 900)}
	d.run("a bad row", chromedp.Navigate(s.HTTP+"/bang?lang=vi#agencies"), unfold("Nhập danh sách cơ quan (CSV)"), chromedp.SetUploadFiles("#agency-file", []string{file("sai.csv", heading+"ubnd-dong-hoi;UBND phường Đồng Hới;02323822000;dong-hoi\nubnd-x;UBND xã X;;khong-co\n")}),
		says("Tệp có 1 lỗi"), says("Dòng 3, areas"), chromedp.WaitNotPresent(`//button[text()="Áp dụng"]`, chromedp.BySearch))
	if status := s.call("GET", "/api/v1/agencies/ubnd-dong-hoi", nil, nil); status != 404 {
		t.Errorf("of a bad table something was taken: %d", status)
	}
	d.run("put right", chromedp.SetUploadFiles("#agency-file", []string{file("dung.csv", heading+"ubnd-dong-hoi;UBND phường Đồng Hới;02323822000;dong-hoi\n")}), says("1 mục thêm mới"), press("Áp dụng"), says("Đã áp dụng."), chromedp.WaitVisible(`[data-agency="ubnd-dong-hoi"]`))
	var metric string
	d.run("a type", chromedp.Navigate(s.HTTP+"/bang#types/water_level"), chromedp.WaitVisible("#type-interval"), chromedp.Click("details.metric summary"),
		chromedp.Evaluate(`{const f = [...document.querySelectorAll("details.metric .control")].filter((p) => /Nhỏ nhất|Lớn nhất/.test(p.textContent)).map((p) => p.querySelector("input")); f[0].id = "least"; f[1].id = "most"; f[1].closest(".control").querySelector("small.error").id = "most-fault"}`, nil),
		fill("least", "9"), fill("most", "-2,5"), press("Lưu"), blames("most", "lớn hơn nhỏ nhất"), fill("least", "-2,5"), fill("most", "9"), fill("type-interval", "600"), press("Lưu"), chromedp.WaitVisible(`[data-type="water_level"]`),
		chromedp.Text(`[data-type="water_level"]`, &metric))
	var got struct {
		Interval float64 `json:"interval_s"`
		Metrics  []struct{ Min, Max float64 }
	}
	if s.call("GET", "/api/v1/device-types/water_level", nil, &got); got.Interval != 600 || got.Metrics[0].Min != -2.5 || got.Metrics[0].Max != 9 || !strings.Contains(metric, "10 phút") {
		t.Errorf("edited it is %+v; its card says %s", got, metric)
	}
}
