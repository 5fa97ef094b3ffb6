package web

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"haidang/ingest/influx"
)

func TestStatsAndReadyzTellHowInfluxDBIs(t *testing.T) {
	since := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		influx func() influx.Status
		want   map[string]any
		says   string
	}{
		"none": {nil, map[string]any{"configured": false}, "ready\n"},
		"well": {func() influx.Status { return influx.Status{LastSuccess: since} },
			map[string]any{"configured": true, "lag": 0.0, "last_success": "2026-11-24T08:00:00Z"}, "took the last points at 2026-11-24T08:00:00Z"},
		"away": {func() influx.Status {
			return influx.Status{Lag: 31, LastSuccess: since, OutageSince: since.Add(time.Hour), Cause: "refused"}
		}, map[string]any{"configured": true, "lag": 31.0, "last_success": "2026-11-24T08:00:00Z", "outage_since": "2026-11-24T09:00:00Z", "cause": "refused"},
			"takes nothing since 2026-11-24T09:00:00Z; 31 entries wait"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(o *Options) { o.Influx = c.influx })
			var st struct{ InfluxDB map[string]any }
			h.call("viewer", "GET", "/api/v1/stats", "", &st)
			if len(st.InfluxDB) != len(c.want) {
				t.Errorf("stats say %v, want %v", st.InfluxDB, c.want)
			}
			for k, want := range c.want {
				if st.InfluxDB[k] != want {
					t.Errorf("%s is %v, want %v", k, st.InfluxDB[k], want)
				}
			}
			res, err := http.Get(h.url + "/readyz")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if b, _ := io.ReadAll(res.Body); res.StatusCode != 200 || !strings.Contains(string(b), c.says) {
				t.Errorf("%d %s, want …%s…", res.StatusCode, b, c.says)
			}
		})
	}
}

// An InfluxDB that is away is a sentence, not a fault of ours.
func TestHistoryAwayIsSaid(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.History = influx.NewHistory(influx.Config{URL: "http://127.0.0.1:9", Bucket: "ioc/autogen"}) // nobody listens there
	})
	h.call("operator", "POST", "/api/v1/devices", `{"id":"d1","type":"air_station","name":"x"}`, nil)
	for _, path := range []string{"/readings", "/series?metric=pm25"} {
		var p problem
		res := h.call("viewer", "GET", "/api/v1/devices/d1"+path, "", &p)
		if res.StatusCode != 503 || !strings.Contains(p.Detail, "InfluxDB") || res.Header.Get("Retry-After") == "" || !strings.Contains(h.log.String(), p.Request) {
			t.Errorf("%s: %d %+v", path, res.StatusCode, p)
		}
	}
}
