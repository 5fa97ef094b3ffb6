package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/ingest/ingesttest"
)

// names answers every question for an IPv4 address with 127.0.0.1 (RFC 1035,
// 4.1), and others with nothing.
func names(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			end := 12
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			if end += 5; end > n {
				continue
			}
			reply := append([]byte{}, b[:end]...)
			binary.BigEndian.PutUint16(reply[2:], 0x8180) // an answer, recursion available
			copy(reply[6:12], []byte{0, 0, 0, 0, 0, 0})
			if binary.BigEndian.Uint16(b[end-4:]) == 1 {
				reply[7] = 1
				reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
			}
			c.WriteTo(reply, from)
		}
	}()
	return c.LocalAddr().String()
}

// free is a loopback address that nobody listens on just now.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A certificate is got from a real ACME server, which asks the HTTPS port whether
// the name is ours; HTTPS and MQTT show it.
func TestStoryACME(t *testing.T) {
	pebble, err := filepath.Abs("../../.tools/pebble")
	if err != nil || !exists(pebble) {
		pebble = need(t, "pebble")
	}
	const name = "ioc.quangbinh.test"
	ca, dir := ingesttest.NewAuthority(t), t.TempDir()
	certFile, keyFile := ca.Server(dir)
	web, directory, manage := free(t), free(t), free(t)
	_, port, _ := net.SplitHostPort(web)
	config := filepath.Join(dir, "pebble.json")
	ingesttest.WriteFile(t, config, fmt.Sprintf(`{"pebble":{"listenAddress":%q,"managementListenAddress":%q,"certificate":%q,"privateKey":%q,"httpPort":1,"tlsPort":%s}}`, directory, manage, certFile, keyFile, port))
	cmd := exec.Command(pebble, "-config", config, "-dnsserver", names(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	trusting := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool}}}
	fetch := func(url string) (text []byte) {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			res, err := trusting.Get(url)
			if err == nil {
				defer res.Body.Close()
				text, err = io.ReadAll(res.Body)
			}
			if err == nil {
				return text
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(fetch("https://" + manage + "/roots/0")) {
		t.Fatal("the ACME server has no root")
	}
	conf := filepath.Join(dir, "haidang.toml")
	ingesttest.WriteFile(t, conf, fmt.Sprintf("[tls]\nacme_domains = [%q]\nacme_directory = \"https://%s/dir\"\nacme_ca = %q\n[[tokens]]\nname = \"i\"\nrole = \"admin\"\nsha256 = %q\n", name, directory, ca.File, secretSHA256))
	s, _ := start(t, (&serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: web, MQTT: "127.0.0.1:0"}).run)
	trust := &tls.Config{RootCAs: roots, ServerName: name}
	shown := map[string]string{}
	for _, addr := range []string{web, strings.TrimPrefix(s.MQTT, "ssl://")} {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 30 * time.Second}, "tcp", addr, trust)
		if err != nil {
			t.Fatalf("%s: %v", addr, err)
		}
		shown[addr] = conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
		conn.Close()
	}
	if shown[web] != shown[strings.TrimPrefix(s.MQTT, "ssl://")] {
		t.Errorf("two certificates are shown: %v", shown)
	}
	if conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", web, &tls.Config{RootCAs: roots, ServerName: "other.quangbinh.test"}); err == nil {
		conn.Close()
		t.Error("a certificate for a name that is not ours")
	}
	var kept int
	entries, err := os.ReadDir(filepath.Join(s.Data, "acme"))
	for _, e := range entries {
		b, readErr := os.ReadFile(filepath.Join(s.Data, "acme", e.Name()))
		if block, _ := pem.Decode(b); readErr == nil && block != nil {
			kept++
		}
	}
	if err != nil || kept == 0 {
		t.Errorf("a restart would ask again: %d files, %v", kept, err)
	}
	res, err := (&http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: trust}}).Get("https://" + web + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("over HTTPS: %d", res.StatusCode)
	}
}
