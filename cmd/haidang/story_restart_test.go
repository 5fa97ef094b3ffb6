package main

import (
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The wall stays open while the server goes and comes back: it misses nothing,
// shows nothing twice, and is not loaded anew.
func TestStoryWallSurvivesARestart(t *testing.T) {
	data := t.TempDir()
	s, stop := demo(t, func(d *demoCmd) { d.Data = data })
	http, mqtt := strings.TrimPrefix(s.HTTP, "http://"), strings.TrimPrefix(s.MQTT, "tcp://")
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-01/readings", `{"values":{"pm25":200}}`)
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-02/readings", `{"values":{"pm25":210}}`)
	ctx := browser(t, 1600, 900)
	if err := chromedp.Run(ctx, chromedp.Navigate(s.HTTP+"/wall"), chromedp.WaitVisible(".link.up"), chromedp.Poll(`document.querySelectorAll(".alert.open").length === 2`, nil),
		chromedp.Evaluate(`window.sameLoad = true`, nil)); err != nil {
		t.Fatalf("before the restart: %v", err)
	}
	stop()
	if err := chromedp.Run(ctx, chromedp.WaitNotPresent(".link.up")); err != nil {
		t.Fatalf("the wall does not say that it is cut off: %v", err)
	}
	s, _ = demo(t, func(d *demoCmd) { d.Data, d.HTTP, d.MQTT = data, http, mqtt })
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-02/readings", `{"values":{"pm25":20}}`)
	publish(t, s.MQTT, "ioc/v1/devices/qb-air-03/readings", `{"values":{"pm25":220}}`)
	var same bool
	if err := chromedp.Run(ctx, chromedp.WaitVisible(".link.up"), chromedp.Poll(`document.querySelectorAll(".alert").length === 3 && document.querySelectorAll(".alert.open").length === 2`, nil),
		chromedp.Evaluate(`window.sameLoad === true`, &same)); err != nil || !same {
		var board string
		chromedp.Run(ctx, chromedp.Evaluate(`[...document.querySelectorAll(".alert")].map(a => a.className + a.textContent).join("\n")`, &board))
		t.Fatalf("after the restart (same load %t): %v\n%s", same, err, board)
	}
}

// A start that ends half-way closes what it opened, and says why.
func TestStartThatEndsHalfWay(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal"), nil, 0o600); err != nil { // where a folder belongs
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	d := &demoCmd{HTTP: address, MQTT: "127.0.0.1:0", Scenario: "quang-binh", TimeFactor: 60, Seed: 1, NoSim: true, Data: dir}
	if err := d.run(t.Context(), io.Discard, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "journal") {
		t.Errorf("it ended with %v", err)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatalf("its port is still taken: %v", err)
	}
	l.Close()
}
