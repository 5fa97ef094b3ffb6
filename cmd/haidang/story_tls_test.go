package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
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
	c.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.ca.Pool}, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
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

// An authority that haidang ca made signs a device's request; the device signs in
// with the certificate, until it is revoked. One that nobody knows registers
// itself.
func TestStoryCertificate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	var out bytes.Buffer
	if err := (&caInitCmd{Dir: dir, Name: "Quảng Bình", Years: 1}).run(&out); err != nil || !strings.Contains(out.String(), "client_ca_key = ") {
		t.Fatalf("%s %v", &out, err)
	}
	_, lines, _ := strings.Cut(out.String(), "[tls]\n")
	c := serveTLS(t, lines+"client_ca_unknown = \"register\"")
	c.ask("POST", "/api/v1/devices", `{"id":"qb-air-01","type":"air_station"}`, nil)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "qb-air-01"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := json.Marshal(map[string]string{"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))})
	var signed struct {
		PEM         string
		Certificate struct{ Fingerprint string }
	}
	if res := c.ask("POST", "/api/v1/devices/qb-air-01/certificates", string(request), &signed); res.StatusCode != 201 {
		t.Fatalf("%d", res.StatusCode)
	}
	connect := func(id string, cert tls.Certificate) paho.Client {
		client := paho.NewClient(paho.NewClientOptions().AddBroker(c.MQTT).SetClientID(id).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).
			SetTLSConfig(&tls.Config{RootCAs: c.ca.Pool, Certificates: []tls.Certificate{cert}}))
		client.Connect().WaitTimeout(10 * time.Second)
		return client
	}
	block, _ := pem.Decode([]byte(signed.PEM))
	own := tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
	dev := connect("qb-air-01", own)
	if token := dev.Publish("ioc/v1/devices/qb-air-01/readings", 1, false, `{"values":{"pm25":12}}`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	c.ask("DELETE", "/api/v1/devices/qb-air-01/certificates/"+signed.Certificate.Fingerprint, "", nil)
	c.eventually("the device is cut off", func() bool { return !dev.IsConnected() })
	if connect("qb-air-01", own).IsConnected() {
		t.Error("a revoked certificate lets in")
	}
	// One of the same authority for a device that nobody entered.
	authority, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	der, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "qb-new-1"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, authority.Leaf, &key.PublicKey, authority.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	fresh := connect("qb-new-1", tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	if token := fresh.Publish("ioc/v1/devices/qb-new-1/readings", 1, false, `{"values":{"pm25":12}}`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	var known struct{ Discovered bool }
	if res := c.ask("GET", "/api/v1/devices/qb-new-1", "", &known); res.StatusCode != 200 || !known.Discovered {
		t.Errorf("%d %+v", res.StatusCode, known)
	}
}

// serial is the number of the certificate that HTTPS shows now.
func (c *secureCity) serial() string {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", strings.TrimPrefix(c.HTTP, "https://"), &tls.Config{RootCAs: c.ca.Pool})
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}
