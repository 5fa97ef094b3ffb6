package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The page on devices' health shows the worst first, opens one, and tells it
// what to do; on a phone nothing runs over the edge.
func TestStoryHealthPage(t *testing.T) {
	s, _ := demo(t, nil)
	d := newSleeper(t, s.MQTT, "qb-air-01")
	d.wake()
	d.must(d.client.Publish(d.topic("readings"), 1, false, `{"seq":1,"values":{"pm25":31,"battery_pct":64}}`))
	d.must(d.client.Publish(d.topic("readings"), 1, false, `{"seq":4,"values":{"pm25":32}}`))
	s.eventually("the device is live", func() bool {
		var page struct{ Total int }
		s.call("GET", "/api/v1/health/devices?state=live", nil, &page)
		return page.Total == 1
	})
	for _, width := range []int64{390, 1440} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			ctx := browser(t, 1440, 900)
			var last, rest, facts, over string
			var shot []byte
			err := chromedp.Run(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.HTTP+"/suc-khoe#type=air_station"), chromedp.WaitVisible("li[data-device]"),
				chromedp.Evaluate(`[...document.querySelectorAll("li[data-device]")].at(-1).dataset.device`, &last),
				chromedp.Evaluate(`document.querySelectorAll("li[data-device] .fresh.never").length + " " + document.querySelectorAll("table tbody tr").length`, &rest),
				chromedp.Evaluate(`document.querySelector('li[data-device="qb-air-01"]').textContent`, &facts),
				chromedp.Click(`li[data-device="qb-air-01"] > details > summary`), chromedp.WaitVisible(`li[data-device="qb-air-01"] .commands`),
				chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth ? [...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".grouped")).map(e => e.outerHTML.slice(0, 80)).join("\n") : ""`, &over),
				chromedp.Click(`li[data-device="qb-air-01"] .commands summary`), chromedp.SendKeys(`li[data-device="qb-air-01"] .commands form input`, fmt.Sprintf("check-%d", width)), chromedp.Click(`li[data-device="qb-air-01"] .commands form button`),
				chromedp.WaitVisible(`li[data-device="qb-air-01"] .state.c-sent`), chromedp.FullScreenshot(&shot, 100))
			if err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("HAIDANG_SCREENSHOTS"); dir != "" {
				os.WriteFile(fmt.Sprintf("%s/health-%d.png", dir, width), shot, 0o600)
			}
			if last != "qb-air-01" || rest == "0 0" || over != "" {
				t.Errorf("last is %s; never and groups %s; over the edge: %s", last, rest, over)
			}
			for _, says := range []string{"64 %", "thiếu 2 bản tin", "coi là mất tín hiệu sau"} {
				if !strings.Contains(facts, says) {
					t.Errorf("the device's card does not say %q: %s", says, facts)
				}
			}
			id := fmt.Sprintf("check-%d", width)
			s.eventually("the command arrives", func() bool {
				for _, c := range d.commands() {
					if c["topic"] == d.topic("commands/"+id) {
						d.answer(id, c["id"], "succeeded")
						return true
					}
				}
				return false
			})
			if err := chromedp.Run(ctx, chromedp.WaitVisible(`li[data-device="qb-air-01"] .state.c-succeeded`)); err != nil {
				t.Errorf("its answer is not shown: %v", err)
			}
		})
	}
}
