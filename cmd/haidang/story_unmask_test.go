package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A shift lead sees a plate in an event and in a dead letter only after saying
// why, and only until they close it.
func TestStoryAPlateIsShownForAReason(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	const admin = "another 0123456789"
	text := fmt.Sprintf("[[tokens]]\nname = \"Lan\"\nrole = \"shift_lead\"\nsha256 = %q\n[[tokens]]\nname = \"quan-tri\"\nrole = \"admin\"\nsha256 = \"%x\"\n", secretSHA256, sha256.Sum256([]byte(admin)))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, (&serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}).run)
	s.token = admin
	const plate, why = "73A-123.45", "Xác minh xe gây tai nạn"
	if got := s.call("POST", "/api/v1/devices", map[string]string{"id": "cam-1", "type": "traffic_camera"}, nil); got != 201 {
		t.Fatal(got)
	}
	s.call("POST", "/api/v1/devices/cam-1/events", map[string]any{"ts": time.Now().Add(-time.Minute), "type": "red_light", "data": map[string]string{"plate": plate}}, nil)
	s.call("POST", "/api/v1/devices/cam-1/readings", map[string]any{"values": map[string]string{"plate": plate}}, nil)

	d := desk{t, browser(t, 1000, 900)}
	hidden := chromedp.Poll(fmt.Sprintf(`!document.body.innerText.includes(%q)`, plate), nil)
	unmasked := func(card string) chromedp.Action {
		return chromedp.Tasks{hidden, chromedp.Click(card + " .unmask summary"), chromedp.SendKeys(card+" .unmask textarea", "12345 67890"), chromedp.Click(card + " .unmask button"), says("Cần ít nhất 10 chữ cái"), hidden,
			chromedp.SetValue(card+" .unmask textarea", why), chromedp.Click(card + " .unmask button"), says(plate), chromedp.Click(card + " .unmask summary"), hidden,
			chromedp.Click(card + " .unmask summary"), chromedp.WaitVisible(card + " .unmask textarea"), hidden}
	}
	d.run("an event", enter(s), chromedp.Navigate(s.HTTP+"/bang#devices/cam-1"), chromedp.WaitVisible("[data-event]"), unmasked("[data-event]"))
	d.run("a dead letter", chromedp.Navigate(s.HTTP+"/bang#dead"), chromedp.WaitVisible("[data-letter]"), unmasked("[data-letter]"))
	for _, action := range []string{"event.unmask", "deadletter.unmask"} {
		var log items
		s.token = admin
		if s.call("GET", "/api/v1/audit?action="+action, nil, &log); len(log.Items) != 1 || log.Items[0]["why"] != why || log.Items[0]["who"] != "Lan" {
			t.Errorf("%s: recorded is %v", action, log.Items)
		}
	}
}
