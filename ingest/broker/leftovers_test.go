package broker_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats-server/v2/server"

	"haidang/ingest"
	"haidang/ingest/broker"
)

// cut is a connection that can be cut off.
type cut struct {
	mu sync.Mutex
	net.Conn
}

func (c *cut) dial(u *url.URL, _ paho.ClientOptions) (net.Conn, error) {
	conn, err := net.Dial("tcp", u.Host)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Conn = conn
	return conn, err
}

// Readings that an earlier version's broker acknowledged and kept in a stream
// of NATS come through once.
func TestReadingsOfAnEarlierVersionAreAdopted(t *testing.T) {
	dir := t.TempDir()
	// As that version ran: NATS keeps what a persistent session subscribes to.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	srv, err := server.NewServer(&server.Options{ServerName: "haidang", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir, MQTT: server.MQTTOpts{Host: "127.0.0.1", Port: port}})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS did not start")
	}
	url := "tcp://" + l.Addr().String()
	reader := device(t, paho.NewClientOptions().AddBroker(url).SetClientID("haidang-ingest").SetCleanSession(false))
	done(t, reader.SubscribeMultiple(map[string]byte{"ioc/v1/devices/#": 1, "ioc/v1/reports": 1}, nil))
	reader.Disconnect(100)
	dev := device(t, paho.NewClientOptions().AddBroker(url).SetClientID("dev-a"))
	for _, p := range []string{"one", "two"} {
		done(t, dev.Publish("ioc/v1/devices/a/readings", 1, false, p))
	}
	dev.Disconnect(100)
	srv.Shutdown()
	srv.WaitForShutdown()

	b, got := start(t, broker.Options{Open: true, Dir: dir})
	adopted := make(chan error, 1)
	go func() { adopted <- b.Adopt(t.Context()) }()
	for _, want := range []string{"one", "two"} {
		m := next(t, got)
		if string(m.Payload) != want || m.Topic != "ioc/v1/devices/a/readings" || time.Since(m.ReceivedAt) > time.Minute {
			t.Errorf("adopted %+v, want %q", m, want)
		}
		m.Done(ingest.Outcome{})
	}
	if err := <-adopted; err != nil {
		t.Fatal(err)
	}
	b.Ready()
	c := device(t, options(b, "a"))
	token := c.Publish("ioc/v1/devices/a/readings", 1, false, "three")
	next(t, got).Done(ingest.Outcome{})
	done(t, token)
	c.Disconnect(100)
	b.Close()

	b, got = start(t, broker.Options{Open: true, Dir: dir})
	defer b.Close()
	if err := b.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothing(t, got)
}
