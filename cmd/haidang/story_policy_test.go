package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"haidang/web/ui"
)

// pagesOf is where each built page is opened, and what shows that it has drawn.
var pagesOf = map[string][][2]string{
	"home.html": {{"/", ".cards"}}, "wall.html": {{"/wall", ".link.up"}}, "report.html": {{"/phan-anh", "#description"}}, "track.html": {{"/phan-anh/CODE", ".steps"}},
	"crew.html": {{"/to/crew-1", ".link"}}, "account.html": {{"/tai-khoan", "main"}}, "health.html": {{"/suc-khoe", "main"}}, "console.html": {{"/d/qb-air-01", ".tabs"}},
}

// watchPolicy has each document note what its policy forbade.
const watchPolicy = `window.forbidden = []; addEventListener("securitypolicyviolation", (e) => forbidden.push(e.effectiveDirective + " " + e.blockedURI + " " + e.sourceFile + " " + e.sample));`

// Every page works under its policy: nothing that it does is forbidden. The map
// draws, photos are shown and sent, and markup in what citizens write stays text.
func TestStoryPagesKeepTheirPolicy(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	text := fmt.Sprintf("[[tokens]]\nname = \"Lan\"\nrole = \"admin\"\nsha256 = %q\n", secretSHA256)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, (&serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}).run)
	s.token = secret
	if got := s.call("POST", "/api/v1/devices", map[string]any{"id": "qb-air-01", "type": "air_station", "name": "Trạm <b>Đồng Hới</b>", "lat": 17.468, "lon": 106.622}, nil); got != 201 {
		t.Fatal(got)
	}
	s.call("POST", "/api/v1/devices/qb-air-01/readings", map[string]any{"values": map[string]any{"pm25": 168.4}}, nil)
	var rep struct{ Code string }
	s.call("POST", "/api/v1/reports", map[string]any{"category": "khac", "description": "<img src=x onerror=alert(1)>", "address": "Đồng Hới"}, &rep)
	s.call("POST", "/api/v1/work-orders", map[string]any{"crew": "crew-1", "title": "<script>alert(1)</script>", "lat": 17.47, "lon": 106.62}, nil)

	ctx := browser(t, 1400, 900)
	var mu sync.Mutex
	var said []string // by the browser itself, of workers too
	chromedp.ListenTarget(ctx, func(ev any) {
		if e, is := ev.(*cdplog.EventEntryAdded); is && strings.Contains(e.Entry.Text, "Content Security Policy") {
			mu.Lock()
			said = append(said, e.Entry.Text)
			mu.Unlock()
		}
	})
	if err := chromedp.Run(ctx, cdplog.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(watchPolicy).Do(ctx)
		return err
	}), chromedp.Navigate(s.HTTP+"/wall"), chromedp.Click(".signin button.plain"), chromedp.SendKeys("#token", secret, chromedp.ByID), chromedp.Click(".signin button.primary"), chromedp.WaitVisible(".link.up")); err != nil {
		t.Fatal(err)
	}
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := chromedp.Run(limited, actions...); err != nil {
			var page string
			chromedp.Run(ctx, chromedp.Evaluate(`document.body.innerText.slice(0, 1500)`, &page))
			t.Fatalf("%s: %v\n%s", what, err, page)
		}
	}
	kept := func(what string) {
		t.Helper()
		var forbidden []string
		run(what, chromedp.Evaluate(`forbidden`, &forbidden))
		if len(forbidden) > 0 {
			t.Errorf("%s: its policy forbade %q", what, forbidden)
		}
	}
	run("the map draws", chromedp.Poll(`window.haidangMap && haidangMap.loaded() && haidangMap.queryRenderedFeatures({layers:["land"]}).length > 0 && haidangMap.queryRenderedFeatures({layers:["devices"]}).length > 0`, nil))
	kept("/wall, signing in")

	drawn := chromedp.Poll(`document.fonts.status === "loaded" && ![...document.querySelectorAll(".error")].some((e) => e.textContent)`, nil)
	built, err := fs.Glob(ui.Dist(), "*.html")
	if err != nil || len(built) < 8 {
		t.Fatal(built, err)
	}
	for _, file := range built {
		if len(pagesOf[file]) == 0 {
			t.Errorf("%s is opened nowhere in this test", file)
		}
		for _, p := range pagesOf[file] {
			at := strings.Replace(p[0], "CODE", rep.Code, 1)
			run(at, chromedp.Navigate(s.HTTP+at), chromedp.WaitVisible(p[1]), drawn)
			kept(at)
		}
	}

	run("the console", chromedp.Navigate(s.HTTP+"/bang"), chromedp.WaitVisible(".tabs"))
	var chapters []string
	run("its chapters", chromedp.Evaluate(`[...document.querySelectorAll(".tabs a")].map((a) => a.getAttribute("href"))`, &chapters))
	if len(chapters) < 10 {
		t.Errorf("an administrator sees only %q", chapters)
	}
	for _, c := range chapters {
		run(c, chromedp.Evaluate(`location.hash = "`+c+`"`, nil), chromedp.WaitVisible(`.tabs a[href="`+c+`"][aria-current]`), drawn)
	}
	kept("the console")

	// A report with a photo and a place on the map.
	photo := filepath.Join(dir, "a.jpg")
	writePhoto(t, photo)
	run("send a report", chromedp.Navigate(s.HTTP+"/phan-anh"), chromedp.Click(`//button[contains(., "bản đồ")]`, chromedp.BySearch), chromedp.WaitVisible(".pinmap canvas"), chromedp.Click(".pinmap canvas"),
		chromedp.SendKeys("#photos", photo, chromedp.ByID), chromedp.SendKeys("#description", "Ổ gà", chromedp.ByID),
		chromedp.Evaluate(`(() => { const c = document.querySelector("#category"); c.value = "khac"; for (const e of ["input", "change"]) c.dispatchEvent(new Event(e, { bubbles: true })); })()`, nil), chromedp.Click(`form > button.primary`), chromedp.WaitVisible(".code"))
	kept("a report with a photo")
	run("follow it", chromedp.Click("a.primary"), chromedp.WaitVisible(".steps"), chromedp.Poll(`[...document.images].some((i) => i.complete && i.naturalWidth > 0)`, nil))
	kept("its photo")
	var display string
	run("labels", chromedp.Navigate(s.HTTP+"/api/v1/devices/labels?q=qb-air-01"), chromedp.Evaluate(`getComputedStyle(document.querySelector(".label")).display`, &display))
	if display != "flex" {
		t.Errorf("labels without their style: %q", display)
	}
	kept("labels")
	mu.Lock()
	before := slices.Clone(said)
	mu.Unlock()
	if len(before) > 0 {
		t.Errorf("the browser says: %q", before)
	}

	// What the policy is for, and that it is seen here when it forbids.
	var forbidden []string
	run("break in", chromedp.Navigate(s.HTTP+"/"), chromedp.WaitVisible(".cards"), chromedp.Evaluate(`(() => {
		const s = document.createElement("script"); try { s.text = "window.broken = true"; document.body.append(s); } catch {}
		try { document.body.innerHTML = "<b>x</b>"; } catch {}
		const b = document.createElement("b"); b.setAttribute("style", "color: red"); document.body.append(b);
		const i = new Image(); i.src = "https://evil.invalid/x.png";
	})()`, nil), chromedp.Poll(`forbidden.length >= 4`, nil), chromedp.Evaluate(`forbidden.concat(String(window.broken))`, &forbidden))
	for _, want := range []string{"require-trusted-types-for", "style-src-attr", "img-src", "undefined"} {
		if !slices.ContainsFunc(forbidden, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("%s is not forbidden: %q", want, forbidden)
		}
	}
}

// writePhoto writes a JPEG.
func writePhoto(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(jpeg.Encode(f, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
