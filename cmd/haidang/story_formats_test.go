package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
)

// Every way in at once: foreign JSON over a real mosquitto, station files in a
// folder, AIS over UDP and TCP, line protocol and phones over HTTP.
func TestStoryForeignFormats(t *testing.T) {
	addr := mosquitto(t)
	folder := filepath.Join(t.TempDir(), "ftp")
	day := filepath.Join(folder, "station", "2026", "11", "24")
	if err := os.MkdirAll(day, 0o750); err != nil {
		t.Fatal(err)
	}
	port := func(network string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return network + "://" + l.Addr().String()
	}
	udp, tcp := port("udp"), port("tcp")
	s := serveBehind(t, addr, fmt.Sprintf(`[[sources]]
name = "lorawan"
format = "chirpstack"
topic = "application/+/device/+/event/+"
[[sources]]
name = "pumps"
format = "mapping"
topic = "plant/+/data"
[sources.options]
topic_level = 2
prefix = "pump-"
metrics = {flow = {path = "f", text = true, comma = true}}
[[sources]]
name = "stations"
format = "station"
folder = "%s"
rest = "1s"
[[sources]]
name = "ais"
format = "nmea"
listen = "%s"
[[sources]]
name = "ais-tcp"
format = "nmea"
listen = "%s"
`, folder, udp, tcp))
	s.eventually("ready", func() bool { return s.call("GET", "/readyz", nil, nil) == 200 })

	now := time.Now()
	publish(t, addr, "application/1/device/a840/event/up", fmt.Sprintf(`{"deduplicationId":"x","time":%q,"deviceInfo":{"devEui":"a84041"},"object":{"level_m":2.5}}`, now.Format(time.RFC3339Nano)))
	publish(t, addr, "plant/7/data", `{"f":"3,5"}`)
	name := "QB_NM1_KHI001_" + now.In(time.FixedZone("", 7*3600)).Format("20060102150405") + ".txt"
	os.WriteFile(filepath.Join(day, name), fmt.Appendf(nil, "PM2,5\t38.4\tug/Nm3\t%[1]s\t00\nSO2\t0,1\tug/Nm3\t%[1]s\t00\n", now.In(time.FixedZone("", 7*3600)).Format("20060102150405")), 0o600)
	send := func(url, lines string) {
		network, at, _ := strings.Cut(url, "://")
		c, err := net.Dial(network, at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, lines); err != nil {
			t.Fatal(err)
		}
	}
	send(udp, "!AIVDM,1,1,,A,H42O55i18tMET00000000000000,2*6D\r\n")
	send(tcp, "!AIVDM,1,1,,A,H42O55lt0000000D3nink000?0500,0*70\r\nnoise\r\n")
	post := func(path, contentType, body string, want int) {
		rq, _ := http.NewRequest("POST", s.HTTP+path, strings.NewReader(body))
		rq.Header.Set("Authorization", "Token "+secret)
		rq.Header.Set("Content-Type", contentType)
		res, err := patient.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, _ := io.ReadAll(res.Body); res.StatusCode != want {
			t.Errorf("POST %s: %s %s, want %d", path, res.Status, b, want)
		}
	}
	post("/api/v2/write?org=o&bucket=b&precision=ns", "text/plain", fmt.Sprintf("cpu,host=srv1 usage_idle=97.5 %d\n", now.UnixNano()), 204)
	post("/api/v2/write?precision=ns", "text/plain", "cpu usage_idle=97.5\n", 400)
	// InfluxDB's own client, pointed at us, gzip and all.
	client := influxdb2.NewClientWithOptions(s.HTTP, secret, influxdb2.DefaultOptions().SetUseGZip(true))
	defer client.Close()
	if err := client.WriteAPIBlocking("o", "b").WritePoint(t.Context(), write.NewPoint("mem", map[string]string{"host": "srv2"}, map[string]any{"used_percent": 41.5, "free": int64(7)}, now)); err != nil {
		t.Errorf("influxdb-client-go: %v", err)
	}
	post("/osmand?id=phone-1&lat=17.47&lon=106.62&batt=80", "application/x-www-form-urlencoded", "", 200)
	post("/osmand", "application/json", `{"device_id":"phone-2","location":{"coords":{"latitude":17.5,"longitude":106.6,"speed":1}}}`, 200)
	post("/api/v1/indicators", "text/csv", "indicator,period,source,value\ngrdp,2026-Q3,cuc-thong-ke,61234\n", 202)
	post("/api/v1/formats/senml", "application/json", `[{"n":"urn:dev:mac:01:temp","v":23.1}]`, 202)
	post("/api/v1/formats/xml", "application/json", `x`, 404)

	s.eventually("the vessel spoke over AIS", func() bool { return s.call("GET", "/api/v1/devices/ais-271041815", nil, nil) == 200 })
	for id, metric := range map[string]string{"eui-a84041": "level_m", "pump-7": "flow", "QB_NM1_KHI001": "pm25", "srv1": "cpu_usage_idle", "srv2": "mem_used_percent", "phone-1": "battery_pct", "phone-2": "speed_kn", "ind-cuc-thong-ke": "grdp", "01": "temp"} {
		s.eventually(id+" has "+metric, func() bool {
			var d struct{ Values map[string]any }
			return s.call("GET", "/api/v1/devices/"+id, nil, &d) == 200 && d.Values[metric] != nil
		})
	}
	s.eventually("the file is set aside", func() bool {
		return exists(filepath.Join(folder, "done", "station", "2026", "11", "24", name)) && !exists(filepath.Join(day, name))
	})
	var letters struct {
		Items []struct{ Format, Code, Message string }
	}
	s.call("GET", "/api/v1/dead-letters", nil, &letters)
	told := fmt.Sprint(letters.Items)
	for _, says := range []string{"stations number_invalid line 2", "lineprotocol device_missing line 1", "ais-tcp sentence_invalid line 2"} {
		if !strings.Contains(told, says) {
			t.Errorf("the dead letters are %s, without %s", told, says)
		}
	}
}
