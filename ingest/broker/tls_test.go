package broker_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

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
