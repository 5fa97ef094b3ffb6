package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// An officer with a phone looks through more dead letters than a page holds,
// narrows them, reads one to its end, sets them aside and takes that back.
func TestStoryDeadLettersOnAPhone(t *testing.T) {
	s, _ := demo(t, nil)
	send := func(device, body string) {
		t.Helper()
		res, err := http.Post(s.HTTP+"/api/v1/devices/"+device+"/readings", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 422 {
			t.Fatalf("a message that cannot be taken: %d", res.StatusCode)
		}
	}
	const long, others = 9000, 129
	send("qb-air-01", `{"values":`+strings.Repeat(" ", long)+"end")
	for i := range others {
		send(fmt.Sprint("stranger-", i), `{"values":{"pm25":1}}`)
	}
	ctx := browser(t, 800, 740) // a window cannot be as narrow as a phone
	cards := func(n int) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`document.querySelectorAll(".cardlist > li").length === %d`, n), nil)
	}
	choose := func(field, value string) chromedp.Action {
		return chromedp.Evaluate(fmt.Sprintf(`{const f = document.querySelector("#dead-%s"); f.value = %q; f.dispatchEvent(new Event("change"))}`, field, value), nil)
	}
	press := func(label string) chromedp.Action {
		return chromedp.Click(`//button[text()="`+label+`"]`, chromedp.BySearch)
	}
	says := func(words string) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`document.querySelector("[role=status]").textContent.startsWith(%q)`, words), nil)
	}
	// Vietnam's clock, whatever the browser's is.
	clock := func(d time.Duration) string {
		return time.Now().In(time.FixedZone("", 7*3600)).Add(d).Format("02/01/2006 15:04")
	}
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			var page string
			chromedp.Run(ctx, chromedp.Evaluate(`document.querySelector("main").innerText.slice(0, 1500)`, &page))
			t.Fatalf("%s: %v\n%s", what, err, page)
		}
	}
	var wide int
	var whole, focused string
	run("the first page", chromedp.EmulateViewport(360, 740), chromedp.Navigate(s.HTTP+"/console?lang=vi#dead"), cards(100), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
	if wide > 360 {
		t.Errorf("the page is %d pixels wide on a phone of 360", wide)
	}
	run("the next page", press("Xem thêm"), cards(others+1), chromedp.WaitNotPresent(".more"),
		chromedp.Evaluate(`document.activeElement.querySelector("b").textContent`, &focused))
	if want := fmt.Sprint("stranger-", others-101); focused != want {
		t.Errorf("after more, %q is in hand, not %q", focused, want)
	}
	run("by time", choose("from", clock(5*time.Minute)), cards(0), choose("from", clock(-5*time.Minute)), cards(100),
		choose("to", clock(-4*time.Minute)), cards(0), choose("to", ""), choose("from", ""), cards(100))
	run("by stage", choose("stage", "decode"), cards(1))
	run("the whole of it", chromedp.Click(".cardlist summary"), chromedp.Poll(`document.querySelector("pre.whole").textContent.endsWith("end")`, nil),
		chromedp.Evaluate(`document.querySelector("pre.whole").textContent`, &whole), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
	if len(whole) != long+len(`{"values":end`) || wide > 360 {
		t.Errorf("the whole is shown with %d characters, on %d pixels", len(whole), wide)
	}
	run("discard, and undo when the filter is another", press("Bỏ qua tất cả"), cards(0), says("Đã bỏ qua 1 tin"), choose("stage", "identify"), cards(100),
		press("Hoàn tác"), says("Đã khôi phục 1 tin"), choose("stage", "decode"), cards(1))
}
