package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"haidang/ingest/ingesttest"
)

// browser is a real Chromium, which draws the map without a GPU.
func browser(t *testing.T, w, h int) context.Context {
	t.Helper()
	profile, err := os.MkdirTemp("", "haidang-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(need(t, "chromium")), chromedp.NoSandbox, chromedp.WindowSize(w, h),
		chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true), chromedp.Flag("ignore-gpu-blocklist", true), chromedp.Flag("disable-gpu", false),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(profile))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	window, cancel2 := chromedp.NewContext(ctx)
	ctx, cancel3 := context.WithTimeout(window, 3*time.Minute)
	chromedp.ListenTarget(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page threw: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				for _, a := range e.Args {
					t.Logf("console: %s %s", a.Value, a.Description)
				}
			}
		}
	})
	t.Cleanup(func() {
		// One that does not answer would be waited for without an end: cancel2 kills it.
		polite, done := context.WithTimeout(window, 10*time.Second)
		defer done()
		if chromedp.Cancel(polite) != nil { // it never started, is gone, or hangs
			t.Log("Chromium did not close by itself")
		}
		cancel3()
		cancel2()
		cancel()
		// Its helpers write to the profile for a moment after it has ended.
		for range 50 {
			if err = os.RemoveAll(profile); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Error(err)
	})
	return ctx
}

// The whole way: mosquitto as the broker, mosquitto_pub as the device, InfluxDB
// as the store, Chromium as the wall, from a reading to a crew that has resolved it.
func TestStoryFromReadingToResolvedWorkOrder(t *testing.T) {
	addr := mosquitto(t)
	conf := filepath.Join(t.TempDir(), "haidang.toml")
	influx := ingesttest.StartInflux(t)
	os.WriteFile(conf, []byte("[influxdb]\nurl = \""+influx.URL+"\"\nbucket = \"ioc/autogen\"\n[[tokens]]\nname = \"Lan\"\nrole = \"operator\"\nsha256 = \""+secretSHA256+"\"\n[broker]\nurl = \"tcp://"+addr+"\"\n"), 0o600)
	s, _ := start(t, (&serveCmd{Config: conf, Data: t.TempDir(), HTTP: "127.0.0.1:0"}).run)
	s.eventually("ready", func() bool { return s.call("GET", "/readyz", nil, nil) == 200 })
	if got := s.call("GET", "/api/v1/devices", nil, nil); got != 401 {
		t.Errorf("without a token the devices answer %d", got)
	}

	ctx := browser(t, 1600, 900)
	var title string
	if err := chromedp.Run(ctx, chromedp.Navigate(s.HTTP+"/wall"), chromedp.Click(".signin button.plain"), chromedp.SendKeys("#token", secret, chromedp.ByID), chromedp.Click(".signin button.primary"),
		chromedp.WaitVisible(".link.up"), chromedp.Title(&title)); err != nil {
		t.Fatalf("sign in at the wall: %v", err)
	}
	// The session's own cookie makes the device, over the API.
	if err := chromedp.Run(ctx, chromedp.Evaluate(`fetch("/api/v1/devices",{method:"POST",body:JSON.stringify({id:"qb-air-01",type:"air_station",name:"Trạm Đồng Hới",area:"dong-hoi",lat:17.468,lon:106.622})}).then(r=>r.status)`, nil, await)); err != nil {
		t.Fatal(err)
	}
	publish(t, addr, "ioc/v1/devices/qb-air-01/readings", `{"values":{"pm25":168.4}}`)
	s.eventually("the point is in InfluxDB, asked over plain HTTP", func() bool {
		res, err := http.Get(influx.URL + "/query?db=ioc&q=" + url.QueryEscape("SELECT pm25 FROM air_station WHERE device='qb-air-01' AND area='dong-hoi'"))
		if err != nil {
			return false
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return bytes.Contains(b, []byte("168.4"))
	})
	publish(t, addr, "ioc/v1/reports", `{"category":"ve-sinh-moi-truong","description":"Đốt rác sau chợ, khói mù","lat":17.47,"lon":106.62,"phone":"0912345678"}`)
	if err := chromedp.Run(ctx, chromedp.WaitVisible(`//li[contains(., "Đốt rác sau chợ, khói mù")]`, chromedp.BySearch)); err != nil {
		t.Fatalf("the report never came to the wall: %v", err)
	}
	if err := chromedp.Run(ctx, chromedp.WaitVisible(`.alert.critical.open[data-rule="air.pm25.high"] .ack`), chromedp.Click(`.alert.critical .ack`), chromedp.WaitVisible(`.alert.acked`),
		chromedp.Click(`.alert .send`), chromedp.Click(`[data-crew="crew-1"]`), chromedp.WaitVisible(`.s-offered`)); err != nil {
		t.Fatalf("acknowledge and send a crew: %v", err)
	}
	var ack string
	if err := chromedp.Run(ctx, chromedp.Evaluate(`fetch("/api/v1/alerts").then(r=>r.json()).then(x=>x.items[0].acked_by)`, &ack, await)); err != nil || ack != "Lan" {
		t.Errorf("acknowledged by %q: %v", ack, err)
	}
	var shown bool
	if err := chromedp.Run(ctx, chromedp.Poll(`window.haidangMap && window.haidangMap.loaded() && window.haidangMap.queryRenderedFeatures({layers:["land"]}).length > 0 && window.haidangMap.queryRenderedFeatures({layers:["devices"]}).length > 0`, &shown)); err != nil {
		t.Errorf("the map never drew land and device: %v", err)
	}

	crew, cancel := chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Run(crew, chromedp.Navigate(s.HTTP+"/to/crew-1"), chromedp.Click(`[data-step="accept"]`), chromedp.Click(`[data-step="en-route"]`), chromedp.Click(`[data-step="on-scene"]`),
		chromedp.SendKeys(`.resolve textarea`, "Đã tìm và dập nguồn khói."), chromedp.Click(`[data-step="resolve"]`), chromedp.WaitVisible(`.empty`)); err != nil {
		t.Fatalf("the crew's page: %v", err)
	}
	var state string
	if err := chromedp.Run(ctx, chromedp.WaitNotPresent(`.s-on_scene`), chromedp.Evaluate(`fetch("/api/v1/work-orders").then(r=>r.json()).then(x=>x.items[0].state+" "+x.items[0].timeline.length)`, &state, await)); err != nil || state != "resolved 5" {
		t.Errorf("the work order is %q: %v", state, err)
	}
	publish(t, addr, "ioc/v1/devices/qb-air-01/readings", `{"values":{"pm25":90}}`)
	s.eventually("the alert is over", func() bool {
		var n int
		return chromedp.Run(ctx, chromedp.Evaluate(`fetch("/api/v1/alerts?state=open").then(r=>r.json()).then(x=>x.items.length)`, &n, await)) == nil && n == 0
	})
}

func await(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
