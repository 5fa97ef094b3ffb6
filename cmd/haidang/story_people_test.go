package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Somebody's first day: the password that was given is changed before anything
// else, a phone becomes the second factor, and without its code there is no way
// in any more. A citizen's phone number is shown to who says why.
func TestStoryFirstDayOfAShiftLead(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	serve := &serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}
	out, err := command(t, "users", "add", "lan", "--role", "shift_lead", "--full-name", "Nguyễn Thị Lan", "--data", serve.Data)
	if err != nil {
		t.Fatal(err)
	}
	_, first, _ := strings.Cut(out, "Password: ")
	first, _, _ = strings.Cut(first, "\n")
	s, _ := start(t, serve.run)
	if got := s.call("POST", "/api/v1/reports", map[string]string{"category": "khac", "description": "Ổ gà trước cổng", "address": "Đồng Hới", "phone": "0912345678", "name": "Trần Văn Nam"}, nil); got != 201 {
		t.Fatal(got)
	}
	ctx := browser(t, 1000, 900)
	if err := chromedp.Run(ctx); err != nil { // the browser's life is that of the first context
		t.Fatal(err)
	}
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := chromedp.Run(limited, actions...); err != nil {
			var page string
			chromedp.Run(ctx, chromedp.Evaluate(`document.body.innerText.slice(0, 1500)`, &page))
			t.Fatalf("%s: %v\n%s", what, err, page)
		}
	}
	keys := func(id, text string) chromedp.Action { return chromedp.SendKeys("#"+id, text, chromedp.ByID) }
	signIn := func(password string) chromedp.Action {
		return chromedp.Tasks{chromedp.WaitVisible("#account", chromedp.ByID), keys("account", "lan"), keys("password", password), chromedp.Click(".signin button.primary")}
	}
	says := func(words string) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`document.body.innerText.includes(%q)`, words), nil)
	}
	const password = "bốn con chim sẻ trên mái"
	run("a wrong password", chromedp.Navigate(s.HTTP+"/bang?lang=vi"), signIn("sai rồi"), says("chưa đúng"))
	run("the first one", chromedp.Navigate(s.HTTP+"/bang"), signIn(first), chromedp.WaitVisible("#new", chromedp.ByID),
		keys("old", first), keys("new", "matkhau12345"), keys("again", "matkhau12345"), chromedp.Click(".signin button.primary"), chromedp.Poll(`document.querySelector(".signin .error").textContent !== ""`, nil),
		chromedp.SetValue("#new", password, chromedp.ByID), chromedp.SetValue("#again", password, chromedp.ByID), chromedp.Click(".signin button.primary"))
	var tabs string
	run("the console", says("Nguyễn Thị Lan"), says("09••••••78"), chromedp.Evaluate(`[...document.querySelectorAll(".tabs a")].map((a) => a.hash).join("")`, &tabs))
	if tabs != "#reports#alerts#orders#shift#devices#types#keys#commands#sources#dead#agencies#calendars#areas" {
		t.Errorf("a shift lead has the tabs %s", tabs)
	}
	run("the citizen's number", chromedp.Click(".unmask summary"), chromedp.SendKeys(".unmask textarea", "Gọi lại để hỏi rõ vị trí"), chromedp.Click(".unmask button"), says("0912345678"), says("Trần Văn Nam"))
	run("a shift", chromedp.Click(`.tabs a[href="#shift"]`), says("Hiện không ai trực"), chromedp.Click(".cardlist summary"), chromedp.SendKeys(".cardlist textarea", "Hoa, Bình"), chromedp.Click(".cardlist button"), says("Đang trực"), says("Hoa, Bình"))

	var key string
	run("the phone", chromedp.Navigate(s.HTTP+"/tai-khoan"), chromedp.Click(`//button[text()="Bật xác thực hai bước"]`, chromedp.BySearch), chromedp.WaitVisible("#secret", chromedp.ByID), chromedp.Text("#secret", &key, chromedp.ByID))
	var wide int
	run("its code", keys("code", otp(t, key, 0)), keys("factor-password", password), chromedp.Click(`//button[text()="Bật"]`, chromedp.BySearch), chromedp.Poll(`document.querySelectorAll(".codes li").length === 10`, nil),
		chromedp.EmulateViewport(360, 740), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
	if wide > 360 {
		t.Errorf("the page is %d pixels wide on a phone of 360", wide)
	}
	run("out, and in again with a code", chromedp.Navigate(s.HTTP+"/tai-khoan"), chromedp.Click(`//button[text()="Đăng xuất"]`, chromedp.BySearch), signIn(password), chromedp.WaitVisible("#code", chromedp.ByID),
		keys("code", otp(t, key, 1)), chromedp.Click(".signin button.primary"), says("Đang bật")) // the one before was used
}

// otp is what an app shows for a key, some steps from now.
func otp(t *testing.T, key string, steps int64) string {
	t.Helper()
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, b)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+steps)))
	sum := mac.Sum(nil)
	o := sum[19] & 0xf
	return fmt.Sprintf("%06d", (uint32(sum[o]&0x7f)<<24|uint32(sum[o+1])<<16|uint32(sum[o+2])<<8|uint32(sum[o+3]))%1e6)
}
