package main

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What comes to the wall while a button is held down must not take the click
// from it, neither by drawing the button anew nor by moving it: on a slow screen
// every press lasts through a redraw.
func TestStoryPressOutlastsARedraw(t *testing.T) {
	s, _ := demo(t, nil)
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-01/readings", `{"values":{"pm25":200}}`)
	ctx := browser(t, 1600, 900)
	var at, after []float64
	where := func(to *[]float64) chromedp.Action {
		return chromedp.Evaluate(`(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(".alert .ack").getBoundingClientRect())`, to)
	}
	if err := chromedp.Run(ctx, chromedp.Navigate(s.HTTP+"/wall"), chromedp.WaitVisible(".alert .ack"),
		chromedp.Poll(`document.fonts.status === "loaded"`, nil), where(&at)); err != nil {
		t.Fatalf("the alert's button: %v", err)
	}
	mouse := func(kind input.MouseType) chromedp.Action {
		return chromedp.MouseEvent(kind, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1))
	}
	if err := chromedp.Run(ctx, mouse(input.MousePressed)); err != nil {
		t.Fatal(err)
	}
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-02/readings", `{"values":{"pm25":210}}`)
	// The tiles have their figures, the board has said the second alert; it draws
	// within a tenth of a second.
	var drawn int
	if err := chromedp.Run(ctx, chromedp.Poll(`document.querySelector(".tile .part") && document.querySelector(".board [aria-live]").textContent !== ""`, nil),
		chromedp.Evaluate(`new Promise(go => setTimeout(() => go(document.querySelectorAll(".alert").length), 500))`, &drawn, await), where(&after), mouse(input.MouseReleased)); err != nil {
		t.Fatalf("a second alert during the press: %v", err)
	}
	if drawn != 1 || after[1] != at[1] {
		t.Errorf("under the pressed button %d alerts are drawn, and it went from %v to %v", drawn, at, after)
	}
	if err := chromedp.Run(ctx, chromedp.WaitVisible(".alert.acked"), chromedp.Poll(`document.querySelectorAll(".alert").length === 2`, nil)); err != nil {
		t.Fatalf("the press acknowledged nothing, or the board stood still after it: %v", err)
	}
}
