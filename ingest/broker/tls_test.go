package broker_test

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/devices/credentials"
	"haidang/ingest"
	"haidang/ingest/broker"
	"haidang/ingest/ingesttest"
)

// elsewhere is an address of this machine that is not of the loopback.
func elsewhere(t *testing.T) net.IP {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP
		}
	}
	t.Skip("this machine has no address but loopback")
	return nil
}

// With a certificate a device from elsewhere speaks TLS or is not let in; over
// websockets too. Who is on this machine may go without.
func TestDevicesFromElsewhereSpeakTLS(t *testing.T) {
	ip, ca := elsewhere(t), ingesttest.NewAuthority(t)
	certFile, keyFile := ca.Server(t.TempDir(), ip)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	doors := openDoors(t, "a")
	_, secret := doors.issue(t, "a", credentials.Terms{})
	b, got := start(t, broker.Options{Listen: "0.0.0.0:0", Websocket: "0.0.0.0:0", TLS: &tls.Config{Certificates: []tls.Certificate{pair}}, Gate: doors})
	defer b.Close()
	b.Ready()
	_, port, err := net.SplitHostPort(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	far := net.JoinHostPort(ip.String(), port)
	web := b.WebsocketURL()
	for url, want := range map[string]bool{
		"ssl://" + far: true, "ssl://127.0.0.1:" + port: true, "tcp://127.0.0.1:" + port: true, "tcp://" + far: false,
		web: true, strings.Replace(web, "127.0.0.1", ip.String(), 1): true, strings.Replace(web, "wss:", "ws:", 1): false,
	} {
		o := own(b, "a", secret).SetTLSConfig(&tls.Config{RootCAs: ca.Pool})
		o.Servers = nil
		c, err := connect(t, o.AddBroker(url).SetConnectRetry(false))
		if (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil {
			continue
		}
		token := c.Publish("ioc/v1/devices/a/readings", 1, false, url)
		m := next(t, got)
		if string(m.Payload) != url {
			t.Errorf("%s came by %s", m.Payload, url)
		}
		m.Done(ingest.Outcome{})
		done(t, token)
		c.Disconnect(10)
	}
}

// A device with a certificate of the devices' authority needs no secret, is only
// itself, and is cut off when the certificate is revoked.
func TestDeviceSignsInWithACertificate(t *testing.T) {
	ca, stranger := ingesttest.NewAuthority(t), ingesttest.NewAuthority(t)
	certFile, keyFile := ca.Server(t.TempDir())
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	doors := openDoors(t, "a", "b")
	b, got := start(t, broker.Options{Gate: doors, TLS: &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: ca.Pool}})
	defer b.Close()
	doors.Watch(b.Recheck)
	b.Ready()
	with := func(client, username, password string, cert tls.Certificate) *paho.ClientOptions {
		return paho.NewClientOptions().AddBroker("ssl://" + b.Addr()).SetClientID(client).SetUsername(username).SetPassword(password).
			SetAutoReconnect(false).SetTLSConfig(&tls.Config{RootCAs: ca.Pool, Certificates: []tls.Certificate{cert}})
	}
	own := ca.Client("a")
	for name, o := range map[string]*paho.ClientOptions{
		"another's name": with("b", "b", "", own), "another's session": with("b", "a", "", own), "a stranger's": with("a", "a", "", stranger.Client("a")),
		"a wrong secret beside it": with("a", "a", "wrong", own), "an unknown device": with("c", "c", "", ca.Client("c")), "no device": with("a", "", "", ca.Client("a/b")),
		"none": with("a", "a", "", tls.Certificate{}), "a server's": with("localhost", "", "", pair),
	} {
		if _, err := connect(t, o); err == nil {
			t.Errorf("let in with %s", name)
		}
	}
	c := device(t, with("a", "", "", own))
	for _, topic := range []string{"ioc/v1/devices/b/readings", "ioc/v1/devices/a/readings"} {
		token := c.Publish(topic, 1, false, topic)
		if topic != "ioc/v1/devices/a/readings" {
			token.WaitTimeout(200 * time.Millisecond)
			continue
		}
		m := next(t, got)
		if m.Topic != topic {
			t.Errorf("%s came", m.Topic)
		}
		m.Done(ingest.Outcome{})
		done(t, token)
	}
	if _, err := doors.RevokeCertificate(t.Context(), "a", fmt.Sprintf("%x", sha256.Sum256(own.Certificate[0]))); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session ends", func() bool { return !c.IsConnected() })
	if _, err := connect(t, with("a", "a", "", own)); err == nil {
		t.Error("a revoked one lets in")
	}
	if other := device(t, with("a", "a", "", ca.Client("a"))); !other.IsConnected() {
		t.Error("another certificate of the device is refused too")
	}
}
