package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Stations of one area that fall silent together are one alert on the wall, with
// each of them under it; when they are back it is over.
func TestStoryGroupOutageIsOneAlert(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	text := fmt.Appendf(nil, "[broker]\nopen = true\n[cohorts]\nby = [\"area\"]\nwithin = \"1s\"\n[[tokens]]\nname = \"i\"\nrole = \"operator\"\nsha256 = \"%s\"\n", secretSHA256)
	if err := os.WriteFile(conf, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, (&serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}).run)
	s.token = secret
	stations := []string{"tram-1", "tram-2", "tram-3", "tram-4"}
	for _, id := range stations {
		if status := s.call("POST", "/api/v1/devices", map[string]any{"id": id, "type": "air_station", "name": "Trạm " + id, "area": "dong-hoi", "expected_interval_s": 2}, nil); status != 201 {
			t.Fatalf("register %s: %d", id, status)
		}
	}
	speak := func() {
		for _, id := range stations {
			publish(t, s.MQTT, "ioc/v1/devices/"+id+"/readings", `{"values":{"pm25":20}}`)
		}
	}
	alerts := func() (groups, members []map[string]any) {
		var list items
		s.call("GET", "/api/v1/alerts?state=open", nil, &list)
		for _, a := range list.Items {
			if a["kind"] == "cohort" {
				groups = append(groups, a)
			} else {
				members = append(members, a)
			}
		}
		return groups, members
	}
	speak()
	var groups, members []map[string]any
	s.eventually("each station has an alert, and the group one", func() bool {
		groups, members = alerts()
		return len(groups) == 1 && len(members) == len(stations)
	})
	if groups[0]["group"] != "area:dong-hoi/air_station" || len(groups[0]["members"].([]any)) != len(stations) || groups[0]["area"] != "dong-hoi" {
		t.Errorf("the outage is %v", groups[0])
	}
	for _, a := range members {
		if a["cohort"] != groups[0]["id"] {
			t.Errorf("%v is not part of it", a["device"])
		}
	}
	ctx := browser(t, 1600, 900)
	var shown int
	var words string
	if err := chromedp.Run(ctx, chromedp.Navigate(s.HTTP+"/wall"), chromedp.Click(".signin button.plain"), chromedp.SendKeys("#token", secret+"\n", chromedp.ByID), chromedp.WaitVisible(".alert .members summary"),
		chromedp.Evaluate(`document.querySelectorAll(".alert").length`, &shown), chromedp.Click(".alert .members summary"), chromedp.WaitVisible(".alert .members li"),
		chromedp.Evaluate(`document.querySelector(".alert .members").textContent`, &words)); err != nil {
		t.Fatal(err)
	}
	if shown != 1 || !containsAll(words, "Trạm tram-1", "Trạm tram-4", "Không có số liệu từ") {
		t.Errorf("the wall shows %d alerts; under the group stands %s", shown, words)
	}
	s.eventually("all is over when they are back", func() bool {
		speak()
		groups, members = alerts()
		return len(groups)+len(members) == 0
	})
}

func containsAll(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}
