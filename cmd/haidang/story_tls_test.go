package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/ingest/ingesttest"
)

// secureCity is haidang serve with a certificate.
type secureCity struct {
	*story
	ca     *ingesttest.Authority
	dir    string
	client *http.Client
}

func serveTLS(t *testing.T, more string) *secureCity {
	t.Helper()
	c := &secureCity{ca: ingesttest.NewAuthority(t), dir: t.TempDir()}
	certFile, keyFile := c.ca.Server(c.dir)
	conf := filepath.Join(c.dir, "haidang.toml")
	text := fmt.Sprintf("[tls]\ncert = %q\nkey = %q\n%s\n[[tokens]]\nname = \"i\"\nrole = \"admin\"\nsha256 = \"%s\"\n", certFile, keyFile, more, secretSHA256)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.story, _ = start(t, (&serveCmd{Config: conf, Data: filepath.Join(c.dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}).run)
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.ca.Pool}, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
	return c
}

// ask asks the API over HTTPS.
func (c *secureCity) ask(method, path, body string, into any) *http.Response {
	c.t.Helper()
	rq, err := http.NewRequest(method, c.HTTP+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	rq.Header.Set("Authorization", "Bearer "+secret)
	res, err := c.client.Do(rq)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			c.t.Fatalf("%s %s: %d %s: %v", method, path, res.StatusCode, b, err)
		}
	}
	return res
}

// Over TLS a device is registered, sends, and is cut off when its credential is
// revoked; a renewed certificate is taken without a restart.
func TestStoryTLS(t *testing.T) {
	c := serveTLS(t, "")
	if !strings.HasPrefix(c.HTTP, "https://") || !strings.HasPrefix(c.MQTT, "ssl://") {
		t.Fatalf("serves %s and %s", c.HTTP, c.MQTT)
	}
	var made struct{ Secret string }
	if res := c.ask("POST", "/api/v1/devices", `{"id":"qb-air-01","type":"air_station"}`, &made); res.StatusCode != 201 || res.ProtoMajor != 2 {
		t.Fatalf("%d over HTTP %d", res.StatusCode, res.ProtoMajor)
	}
	o := paho.NewClientOptions().AddBroker(c.MQTT).SetClientID("qb-air-01").SetUsername("qb-air-01").SetPassword(made.Secret).
		SetTLSConfig(&tls.Config{RootCAs: c.ca.Pool}).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
	dev := paho.NewClient(o)
	if token := dev.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	if token := dev.Publish("ioc/v1/devices/qb-air-01/readings", 1, false, `{"values":{"pm25":12}}`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	var page items
	c.eventually("the reading is there", func() bool {
		c.ask("GET", "/api/v1/devices/qb-air-01/readings", "", &page)
		return len(page.Items) == 1
	})
	before := c.serial()
	c.ca.Server(c.dir)
	c.eventually("the new certificate is shown", func() bool { return c.serial() != before })
	if !dev.IsConnected() {
		t.Error("a renewal cut the device off")
	}
	var creds items
	c.ask("GET", "/api/v1/devices/qb-air-01/credentials", "", &creds)
	if len(creds.Items) != 1 || creds.Items[0]["last_used_at"] == nil {
		t.Fatalf("credentials %v", creds.Items)
	}
	c.ask("DELETE", fmt.Sprintf("/api/v1/devices/qb-air-01/credentials/%v", creds.Items[0]["id"]), "", nil)
	c.eventually("the device is cut off", func() bool { return !dev.IsConnected() })
	if token := paho.NewClient(o).Connect(); token.WaitTimeout(10*time.Second) && token.Error() == nil {
		t.Error("a revoked credential lets in")
	}
}

// serial is the number of the certificate that HTTPS shows now.
func (c *secureCity) serial() string {
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.HTTP, "https://"), &tls.Config{RootCAs: c.ca.Pool})
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}
