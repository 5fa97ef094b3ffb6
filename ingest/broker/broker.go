package broker

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"haidang/devices/credentials"
	"haidang/ingest"
)

// Options configure the broker.
type Options struct {
	// Listen is host:port for MQTT; port 0 picks one.
	Listen string
	// Dir holds sessions and undelivered messages.
	Dir string
	// TLS is what devices from elsewhere must speak; those on this machine may go
	// without. Nil: nobody need.
	TLS *tls.Config
	// Websocket is host:port for MQTT over websockets, at /mqtt, with TLS when
	// there is TLS; empty: none.
	Websocket string
	// Open lets anyone publish as anyone: for demo, on loopback only.
	Open bool
	// Gate says who may sign in as a device. Unused when Open.
	Gate Gate
	// Provision lets devices register themselves; nil: none do. Unused when Open.
	Provision Provisioner
	// Submit takes each message to its end; a device is answered at its Done.
	Submit func(context.Context, ingest.Message) error
	// Feeds are topic filters beside our own, on which foreign formats come.
	Feeds []string
	// Grants are the feeds' filters on which a device may publish, beside its
	// own topics; by devices.ID.Key. Unused when Open.
	Grants map[string][]string
	Log    *slog.Logger
}

// Broker is a running broker.
type Broker struct {
	srv     *server.Server
	opts    Options
	ready   atomic.Bool
	closing atomic.Bool
	secret  string
	host    string
	port    int
	intake  *intake
	old     *leftovers

	webPort int

	sessions     sessions
	ending       sync.WaitGroup // sessions that are ended
	provisioning provisioning
}

// answerWithin is how long NATS waits for a message's answer before it closes
// the device's connection, and the device comes again: so long a full disk may
// hold devices back.
const answerWithin = 30 * time.Second

// handshakeWithin is how long a device may take to speak TLS: over a slow modem
// a handshake is some seconds.
const handshakeWithin = 10 * time.Second

// InternalUser is the name under which the server itself connects, to speak to
// devices.
const InternalUser = "haidang-ingest"

// Start starts the broker. Until Ready it lets in only ingest.
func Start(o Options) (*Broker, error) {
	host, port, err := splitListen(o.Listen)
	if err != nil {
		return nil, err
	}
	// NATS reports a taken MQTT port only by ending; look first.
	l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return nil, err
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()

	b := &Broker{opts: o, secret: rand.Text(), host: host, port: port, sessions: sessions{by: map[string]map[uint64]credentials.Pass{}}}
	so := &server.Options{
		ServerName: "haidang", DontListen: true, NoSigs: true, NoLog: false,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 64 << 30,
		SyncInterval: 2 * time.Second,
		MaxPayload:   1 << 20, MaxPending: waitingBytes, MaxConn: 200_000,
		CustomClientAuthentication: b,
		MQTT:                       server.MQTTOpts{Host: host, Port: port, JSAPITimeout: answerWithin},
	}
	if o.TLS != nil {
		so.AllowNonTLS = true // Check asks for it
		so.MQTT.TLSConfig, so.MQTT.TLSTimeout = o.TLS, handshakeWithin.Seconds()
	}
	if o.Websocket != "" {
		if so.Websocket, err = websocketOptions(o); err != nil {
			return nil, err
		}
		b.webPort = so.Websocket.Port
	}
	srv, err := server.NewServer(so)
	if err != nil {
		return nil, fmt.Errorf("set up embedded broker: %w", err)
	}
	srv.SetLoggerV2(natsLogger{o.Log, &b.closing}, false, false, false)
	b.srv = srv
	srv.Start()
	if !srv.ReadyForConnections(15 * time.Second) {
		srv.Shutdown()
		return nil, errors.New("the embedded broker did not start within 15 s; its log says why")
	}
	if b.intake, err = b.openIntake(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func websocketOptions(o Options) (server.WebsocketOpts, error) {
	host, port, err := splitListen(o.Websocket)
	if err != nil {
		return server.WebsocketOpts{}, err
	}
	// As with MQTT's port, NATS would only end.
	l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return server.WebsocketOpts{}, err
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	return server.WebsocketOpts{Host: host, Port: port, TLSConfig: o.TLS, NoTLS: o.TLS == nil, HandshakeTimeout: handshakeWithin}, nil
}

func splitListen(listen string) (string, int, error) {
	a, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return "", 0, fmt.Errorf("MQTT address %q: %w", listen, err)
	}
	host := "0.0.0.0"
	if a.IP != nil {
		host = a.IP.String()
	}
	return host, a.Port, nil
}

// Ready lets devices in.
func (b *Broker) Ready() { b.ready.Store(true) }

// LetsIn says whether devices may connect: from Ready until Stop.
func (b *Broker) LetsIn() bool { return b.ready.Load() }

// Addr is host:port where devices connect.
func (b *Broker) Addr() string { return net.JoinHostPort(b.host, fmt.Sprint(b.port)) }

// WebsocketURL is where devices connect by websocket; empty: nowhere.
func (b *Broker) WebsocketURL() string {
	switch {
	case b.webPort == 0:
		return ""
	case b.opts.TLS != nil:
		return fmt.Sprintf("wss://127.0.0.1:%d/mqtt", b.webPort)
	}
	return fmt.Sprintf("ws://127.0.0.1:%d/mqtt", b.webPort)
}

// ServerURL is where the server's own client connects, always over loopback.
func (b *Broker) ServerURL() string {
	host := b.host
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "tcp://" + net.JoinHostPort(host, fmt.Sprint(b.port))
}

// ServerPassword goes with InternalUser; it is made anew at every start.
func (b *Broker) ServerPassword() string { return b.secret }

// Connections is how many clients are connected, ingest among them.
func (b *Broker) Connections() int { return b.srv.NumClients() }

// Stop takes nothing more: what is not answered yet is the devices' to send
// again. Messages on their way to their end may still be answered.
func (b *Broker) Stop() {
	b.ready.Store(false)
	b.intake.end()
}

// Close stops the broker after its store is flushed.
func (b *Broker) Close() {
	if b.intake != nil {
		b.intake.end()
		b.intake.conn.Close()
	}
	b.closing.Store(true)
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
	b.ending.Wait()
}

// isServer says whether a password is that of the server itself.
func (b *Broker) isServer(password string) bool {
	return subtle.ConstantTimeCompare([]byte(password), []byte(b.secret)) == 1
}

// natsLogger brings the server's log into ours: only what an operator can use.
// While it closes, that is nothing: every device's last will fails for want of a
// server, and the next start knows how devices are by what they send.
type natsLogger struct {
	log     *slog.Logger
	closing *atomic.Bool
}

func (natsLogger) Noticef(string, ...any) {}
func (natsLogger) Debugf(string, ...any)  {}
func (natsLogger) Tracef(string, ...any)  {}
func (l natsLogger) Warnf(f string, a ...any) {
	l.log.Warn(fmt.Sprintf(f, a...), "component", "broker")
}
func (l natsLogger) Errorf(f string, a ...any) {
	text := fmt.Sprintf(f, a...)
	if strings.Contains(text, server.ErrAuthentication.Error()) || l.closing.Load() {
		return // of a sign-in, Check has said it, with the reason
	}
	l.log.Error(text, "component", "broker")
}
func (l natsLogger) Fatalf(f string, a ...any) {
	l.log.Error(fmt.Sprintf(f, a...), "component", "broker")
}
