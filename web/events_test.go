package web

import (
	"encoding/json"
	"testing"
)

func TestEventsOfADevice(t *testing.T) {
	h := newHouse(t, nil)
	if res := h.call("integrator", "POST", "/api/v1/devices", `{"id":"qb-air-09","type":"air_station"}`, nil); res.StatusCode != 201 {
		t.Fatal(res.Status)
	}
	const at = "/api/v1/devices/qb-air-09/events"
	send := func(body string) {
		t.Helper()
		if res := h.call("operator", "POST", at, body, nil); res.StatusCode != 202 {
			t.Fatalf("%s: %s", body, res.Status)
		}
	}
	send(`[{"type":"red_light","severity":"minor","lat":17.5,"lon":106.6,"data":{"Plate":"73A-123.45","lane":2,"owners":[{"phone":912345678}],"seen":[{"plateNumber":"9"}]}},{"type":"door_open","ts":"2026-11-01T00:00:00Z"}]`)
	send(`{"type":"distress"}`)
	var page struct {
		Items []eventView
		Next  string
	}
	h.call("viewer", "GET", at+"?limit=1", "", &page)
	if len(page.Items) != 1 || page.Items[0].Type != "red_light" || page.Next == "" {
		t.Fatalf("first page %+v", page)
	}
	b, _ := json.Marshal(page.Items[0].Data)
	if want := `{"Plate":"73•••••","lane":2,"owners":"•••••","seen":[{"plateNumber":"•••••"}]}`; string(b) != want {
		t.Errorf("shows %s, want %s", b, want)
	}
	h.call("viewer", "GET", at+"?limit=1&cursor="+page.Next, "", &page)
	if len(page.Items) != 1 || page.Items[0].Type != "distress" || page.Items[0].Lateness != "live" || page.Items[0].TimeSource != "server" {
		t.Errorf("second page %+v", page)
	}
	h.call("viewer", "GET", at+"?from=2026-10-01T00:00:00Z&to=2026-11-02T00:00:00Z", "", &page)
	if len(page.Items) != 1 || page.Items[0].Type != "door_open" {
		t.Errorf("of November 1 %+v", page)
	}
	if res := h.call("", "GET", at, "", nil); res.StatusCode != 401 {
		t.Errorf("without a token: %s", res.Status)
	}
}
