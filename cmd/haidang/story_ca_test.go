package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// On the command line, beside a running program, a device is given a certificate
// by which it signs in at once, and which ends its session when it is revoked.
func TestStoryCertificatesOnTheCommandLine(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca")
	if _, err := command(t, "ca", "init", ca); err != nil {
		t.Fatal(err)
	}
	c := serveTLS(t, fmt.Sprintf("client_ca = %q\nclient_ca_key = %q\n", ca+"/ca.crt", ca+"/ca.key"))
	conf := []string{"--config", filepath.Join(c.dir, "haidang.toml"), "--data", c.Data}
	run := func(args ...string) (string, error) {
		t.Helper()
		return command(t, append(args, conf...)...)
	}
	fails := func(says string, args ...string) {
		t.Helper()
		if out, err := run(args...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v %s, want %q", args, err, out, says)
		}
	}
	out := filepath.Join(c.dir, "made")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	fails("not found", "ca", "issue", "qb-air-01", "--out", out)
	if files, _ := os.ReadDir(out); len(files) > 0 {
		t.Errorf("a device that is not known left %v", files)
	}
	c.ask("POST", "/api/v1/devices", `{"id":"qb-air-01","type":"air_station"}`, nil)
	said, err := run("ca", "issue", "qb-air-01", "--out", out, "--days", "30")
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, _, _ := strings.Cut(said, " ")
	pair, err := tls.LoadX509KeyPair(out+"/qb-air-01.crt", out+"/qb-air-01.key")
	if err != nil || time.Until(pair.Leaf.NotAfter) > 31*24*time.Hour {
		t.Fatal(err, pair.Leaf)
	}
	if info, err := os.Stat(out + "/qb-air-01.key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v %v", info, err)
	}
	fails("is there already", "ca", "issue", "qb-air-01", "--out", out)
	fails("--days", "ca", "issue", "qb-air-01", "--days", "0")
	fails("csr", "ca", "issue", "qb-air-01", "--out", c.dir, "--csr", out+"/qb-air-01.crt")
	if _, err := os.Stat(c.dir + "/qb-air-01.crt"); err == nil {
		t.Error("a request that is none left a file")
	}
	connect := func() (paho.Client, error) {
		o := paho.NewClientOptions().AddBroker(c.MQTT).SetClientID("qb-air-01").SetTLSConfig(&tls.Config{RootCAs: c.ca.Pool, Certificates: []tls.Certificate{pair}}).
			SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
		dev := paho.NewClient(o)
		token := dev.Connect()
		token.WaitTimeout(10 * time.Second)
		return dev, token.Error()
	}
	dev, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if said, err := run("ca", "list", "qb-air-01"); err != nil || !strings.Contains(said, fingerprint+"  active") {
		t.Errorf("%v %s", err, said)
	}
	fails("--all", "ca", "revoke", "qb-air-01")
	fails("not found", "ca", "revoke", "qb-air-01", "00ff")
	if !dev.IsConnected() {
		t.Fatal("it was cut off before")
	}
	if said, err := run("ca", "revoke", "qb-air-01", fingerprint); err != nil || !strings.Contains(said, fingerprint+"  revoked") {
		t.Fatalf("%v %s", err, said)
	}
	c.eventually("the device is cut off", func() bool { return !dev.IsConnected() })
	if _, err := connect(); err == nil {
		t.Error("a revoked certificate lets it in again")
	}
	var trail items
	c.ask("GET", "/api/v1/audit?limit=20", "", &trail)
	acts := map[string]bool{}
	for _, e := range trail.Items {
		acts[fmt.Sprint(e["action"], " ", e["who"])] = true
	}
	if !acts["certificate.issue system"] || !acts["certificate.revoke system"] {
		t.Errorf("the audit log has %v", acts)
	}
}
