package ingesttest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// Influx is a running InfluxDB 1.8 with Flux, as close as a test comes to
// InfluxDB 2 without Docker. It takes any token, also none.
type Influx struct {
	process
	URL    string
	Bucket string
}

const influxConfig = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = %[1]q
[data]
  dir = %[2]q
  wal-dir = %[3]q
  index-version = "tsi1"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = %[4]q
  flux-enabled = true
  log-enabled = false
`

// StartInflux starts an InfluxDB on a free loopback port, with an empty bucket
// "ioc/autogen". It ends with the test. HAIDANG_INFLUXD may name the program.
func StartInflux(t testing.TB) *Influx {
	t.Helper()
	program := find(t, "influxd", "HAIDANG_INFLUXD")
	dir, address := t.TempDir(), loopback(freePort(t))
	config := filepath.Join(dir, "influxdb.conf")
	text := fmt.Sprintf(influxConfig, filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Influx{URL: "http://" + address, Bucket: "ioc/autogen"}
	s.process = process{t: t, name: "influxd", program: program, args: []string{"-config", config},
		log: filepath.Join(dir, "influxd.log"), ready: s.ping}
	s.cleanup()
	s.Start()
	s.Exec("CREATE DATABASE ioc")
	return s
}

func (s *Influx) ping() error {
	res, err := http.Get(s.URL + "/ping")
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("ping: %s", res.Status)
	}
	return nil
}

// Exec runs a statement in InfluxQL and returns the answer, JSON.
func (s *Influx) Exec(influxQL string) string {
	s.t.Helper()
	res, err := http.PostForm(s.URL+"/query", url.Values{"q": {influxQL}, "db": {"ioc"}, "epoch": {"ms"}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s %s %v", influxQL, res.Status, body, err)
	}
	return string(body)
}
