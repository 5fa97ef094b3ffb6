package web

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/health"
)

// The worst come first, by device and by group, and the file has all of them.
func TestHealthShowsTheWorstFirst(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *Options) {
		day := now.Add(-24 * time.Hour)
		for at := day; at.Before(now); at = at.Add(30 * time.Second) {
			if err := o.Health.Listen(t.Context(), at); err != nil {
				t.Fatal(err)
			}
		}
		ds := []devices.Device{{ID: "good", Type: "air_station", Name: "Tốt", Area: "dong-hoi", Vendor: "=Vendor"}, {ID: "poor", Type: "air_station", Name: "=1+1", Vendor: "=Vendor"}, {ID: "never", Type: "water_level"}}
		for i := range ds {
			ds[i].CreatedAt, ds[i].Agency, ds[i].Interval = day, "so-nnmt", time.Minute
		}
		if err := o.Registry.Upsert(t.Context(), ds); err != nil {
			t.Fatal(err)
		}
		if err := o.Health.Add(t.Context(), []health.Outage{{Device: "poor", SeenAt: day.Add(time.Hour), DueAt: day.Add(time.Hour), BackAt: day.Add(7 * time.Hour)}}); err != nil {
			t.Fatal(err)
		}
	})
	for _, id := range []string{"good", "poor"} {
		h.call("operator", "POST", "/api/v1/devices/"+id+"/readings", `{"values":{"pm25":1,"battery_v":12.4,"battery_pct":88}}`, nil)
	}
	type pages struct {
		Items []deviceHealth
		Total int
		Next  string
	}
	var page pages
	get := func(path string, into any) {
		t.Helper()
		page = pages{} // else what is missing in JSON stays as it was
		if res := h.call("viewer", "GET", path, "", into); res.StatusCode != 200 {
			t.Fatalf("%s: %d", path, res.StatusCode)
		}
	}
	h.eventually("both are live", func() bool {
		get("/api/v1/health/devices?state=live", &page)
		return page.Total == 2
	})
	get("/api/v1/health/devices", &page)
	if len(page.Items) != 3 || page.Items[0].ID != "never" || page.Items[1].ID != "poor" || page.Items[2].ID != "good" {
		t.Fatalf("the order is %+v", page.Items)
	}
	near := func(x *float64, want float64) bool { return x != nil && *x > want-0.01 && *x < want+0.01 }
	poor := page.Items[1]
	if !near(poor.Availability, 0.75) || poor.State != devices.Live || poor.Vitals["battery_v"].Value != 12.4 || poor.Timeout != 180 || poor.Learned || poor.Vendor != "=Vendor" || poor.Since == nil {
		t.Errorf("the poor one: %+v", poor)
	}
	if never := page.Items[0]; never.State != devices.Never || !near(never.Availability, 0) || never.Since != nil {
		t.Errorf("the one that never spoke: %+v", never)
	}
	get("/api/v1/health/devices?limit=2", &page)
	if len(page.Items) != 2 || page.Total != 3 || page.Next == "" {
		t.Errorf("the first page has %d of %d, next %q", len(page.Items), page.Total, page.Next)
	}
	get("/api/v1/health/devices?limit=2&cursor="+page.Next, &page)
	if len(page.Items) != 1 || page.Items[0].ID != "good" {
		t.Errorf("the last page has %+v", page.Items)
	}
	get("/api/v1/health/devices?vendor=-", &page)
	if len(page.Items) != 1 || page.Items[0].ID != "never" {
		t.Errorf("without a vendor: %+v", page.Items)
	}
	var groups struct {
		Items []healthGroup
		All   healthGroup
	}
	get("/api/v1/health?by=vendor", &groups)
	if len(groups.Items) != 2 || groups.Items[0].Key != "" || groups.Items[0].Never != 1 || groups.Items[1].Live != 2 || !near(groups.Items[1].Availability, 0.875) || groups.All.Devices != 3 {
		t.Errorf("by vendor: %+v", groups)
	}
	get("/api/v1/health?by=agency", &groups)
	if len(groups.Items) != 1 || groups.Items[0].Key != "so-nnmt" {
		t.Errorf("by agency: %+v", groups.Items)
	}
	var one deviceHealth
	get("/api/v1/devices/poor/health", &one)
	if len(one.Outages) != 1 || one.Outages[0].BackAt.Sub(one.Outages[0].SeenAt) != 6*time.Hour || one.Metrics["pm25"].State != devices.Live || !near(one.Over["7d"], 0.75) {
		t.Errorf("one device: %+v", one)
	}
	for path, field := range map[string]string{"/api/v1/health?by=colour": "by", "/api/v1/health?window=2d": "window", "/api/v1/health/devices?sort=best": "sort", "/api/v1/health/devices?cursor=x": "cursor", "/api/v1/health/devices?limit=0": "limit"} {
		var p problem
		if res := h.call("viewer", "GET", path, "", &p); res.StatusCode != 422 || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v", path, res.StatusCode, p)
		}
	}
	// A spreadsheet must not run what somebody called a device.
	req, _ := http.NewRequest("GET", h.url+"/api/v1/health/devices?export=csv", nil)
	req.Header.Set("Authorization", "Bearer viewer")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	text, marked := strings.CutPrefix(string(b), "\uFEFF")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(rows) != 4 || rows[2][0] != "poor" || rows[2][1] != "'=1+1" || rows[2][5] != "'=Vendor" {
		t.Errorf("the file is %q (%v)", b, err)
	}
}
