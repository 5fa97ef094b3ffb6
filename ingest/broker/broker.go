package broker

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"haidang/devices"
	"haidang/ingest"
)

// Options configure the broker.
type Options struct {
	// Listen is host:port for MQTT; port 0 picks one.
	Listen string
	// Dir holds sessions and undelivered messages.
	Dir string
	// Open lets anyone publish as anyone: for demo, on loopback only.
	Open bool
	// CheckSecret says whether a device may sign in. Unused when Open.
	CheckSecret func(id devices.ID, secret string) bool
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
	srv    *server.Server
	opts   Options
	ready  atomic.Bool
	secret string
	host   string
	port   int
	intake *intake
	old    *leftovers
}

// answerWithin is how long NATS waits for a message's answer before it closes
// the device's connection, and the device comes again: so long a full disk may
// hold devices back.
const answerWithin = 30 * time.Second

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

	b := &Broker{opts: o, secret: rand.Text(), host: host, port: port}
	so := &server.Options{
		ServerName: "haidang", DontListen: true, NoSigs: true, NoLog: false,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 64 << 30,
		SyncInterval: 2 * time.Second,
		MaxPayload:   1 << 20, MaxPending: waitingBytes, MaxConn: 200_000,
		CustomClientAuthentication: b,
		MQTT:                       server.MQTTOpts{Host: host, Port: port, JSAPITimeout: answerWithin},
	}
	srv, err := server.NewServer(so)
	if err != nil {
		return nil, fmt.Errorf("set up embedded broker: %w", err)
	}
	srv.SetLoggerV2(natsLogger{o.Log}, false, false, false)
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
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
}

// Check implements server.Authentication: who may connect, and what they may
// publish and subscribe to.
func (b *Broker) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == InternalUser {
		return subtle.ConstantTimeCompare([]byte(o.Password), []byte(b.secret)) == 1
	}
	if !b.ready.Load() {
		return false
	}
	if b.opts.Open {
		return true
	}
	id, err := devices.ParseID(o.Username)
	if err != nil || b.opts.CheckSecret == nil || !b.opts.CheckSecret(id, o.Password) {
		b.opts.Log.Warn("device was not let in", "component", "broker", "username", fmt.Sprintf("%.64q", o.Username))
		return false
	}
	own := "ioc.v1.devices." + string(id) + "."
	publish := []string{own + "readings", own + "events", own + "state", own + "config.reported", own + "replies.>"}
	for _, filter := range b.opts.Grants[id.Key()] {
		publish = append(publish, subjectsOf(filter)...)
	}
	c.RegisterUser(&server.User{Username: o.Username, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{own + "config", own + "commands", own + "commands.>", own + "errors"}},
	}})
	return true
}

// natsLogger brings the server's log into ours: only what an operator can use.
type natsLogger struct{ log *slog.Logger }

func (natsLogger) Noticef(string, ...any) {}
func (natsLogger) Debugf(string, ...any)  {}
func (natsLogger) Tracef(string, ...any)  {}
func (l natsLogger) Warnf(f string, a ...any) {
	l.log.Warn(fmt.Sprintf(f, a...), "component", "broker")
}
func (l natsLogger) Errorf(f string, a ...any) {
	l.log.Error(fmt.Sprintf(f, a...), "component", "broker")
}
func (l natsLogger) Fatalf(f string, a ...any) {
	l.log.Error(fmt.Sprintf(f, a...), "component", "broker")
}
