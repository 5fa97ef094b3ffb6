package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/ingest/ingesttest"
	brokerfiles "haidang/ingest/mosquitto"
)

// A device that is registered over the API signs in at a real mosquitto, whose
// first files haidang broker-config wrote, and is cut off when its credential is
// revoked.
func TestStoryMosquittoFollowsTheRegistry(t *testing.T) {
	dir := t.TempDir()
	files, data, conf := filepath.Join(dir, "mosquitto"), filepath.Join(dir, "data"), filepath.Join(dir, "haidang.toml")
	broker := fmt.Sprintf("[broker]\nusername = \"haidang-ingest\"\npassword = \"p\"\nfiles = %q\n", files)
	token := fmt.Sprintf("[[tokens]]\nname = \"i\"\nrole = \"admin\"\nsha256 = %q\n", secretSHA256)
	ingesttest.WriteFile(t, conf, broker)
	var out bytes.Buffer
	if err := (&brokerConfigCmd{Dir: files, Config: conf, Data: data}).run(t.Context(), &out, slog.New(slog.DiscardHandler)); err != nil || !strings.Contains(out.String(), "may sign in: 0") {
		t.Fatalf("%s %v", &out, err)
	}
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{PasswordFile: filepath.Join(files, brokerfiles.PasswordFile), ACLFile: filepath.Join(files, brokerfiles.ACLFile)})
	reload := m.ReloadCommand()
	ingesttest.WriteFile(t, conf, fmt.Sprintf("%surl = %q\nreload = [%q, %q, %q]\n%s", broker, m.URL, reload[0], reload[1], reload[2], token))
	s, _ := start(t, (&serveCmd{Config: conf, Data: data, HTTP: "127.0.0.1:0"}).run)
	s.token = secret
	var made struct{ Secret string }
	if status := s.call("POST", "/api/v1/devices", map[string]any{"id": "qb-air-01", "type": "air_station"}, &made); status != http.StatusCreated {
		t.Fatal(status)
	}
	connect := func() paho.Client {
		c := paho.NewClient(paho.NewClientOptions().AddBroker(m.URL).SetClientID("qb-air-01").SetUsername("qb-air-01").SetPassword(made.Secret).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
		c.Connect().WaitTimeout(10 * time.Second)
		return c
	}
	var dev paho.Client
	s.eventually("the device signs in", func() bool { dev = connect(); return dev.IsConnected() })
	s.eventually("its reading is kept", func() bool {
		dev.Publish("ioc/v1/devices/qb-air-01/readings", 1, false, `{"ts":"2026-11-28T00:00:00Z","values":{"pm25":12}}`).WaitTimeout(5 * time.Second)
		var page items
		s.call("GET", "/api/v1/devices/qb-air-01/readings?from=2026-11-01T00:00:00Z", nil, &page)
		return len(page.Items) == 1
	})
	var creds items
	s.call("GET", "/api/v1/devices/qb-air-01/credentials", nil, &creds)
	if len(creds.Items) != 1 {
		t.Fatalf("credentials %v", creds.Items)
	}
	s.call("DELETE", fmt.Sprintf("/api/v1/devices/qb-air-01/credentials/%v", creds.Items[0]["id"]), nil, nil)
	s.eventually("the device is cut off", func() bool { return !dev.IsConnected() })
	s.eventually("and not let in again", func() bool { return !connect().IsConnected() })
	if err := (&brokerConfigCmd{Dir: files, Config: conf, Data: data}).run(t.Context(), io.Discard, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("beside a running program: %v", err)
	}
}
