// Package sentences takes lines over TCP and UDP, as AIS receivers and vessel
// vendors send them: it listens, or connects and connects again.
package sentences

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"haidang/ingest"
)

// Options say where lines come from, and who takes them.
type Options struct {
	// Name is the source's, for topics and the log.
	Name string
	// URL is tcp://host:port or udp://host:port to listen on; with Connect, a
	// server to connect to.
	URL     string
	Connect bool
	// Take hands lines over; it may block: the sender waits then (TCP), or the
	// system drops (UDP).
	Take func(ctx context.Context, in ingest.Input) error
	Log  *slog.Logger
}

const (
	maxLine        = 4096
	maxConnections = 64
	idle           = 10 * time.Minute
)

// Listener is one source of lines. Build it with New; Run it once.
type Listener struct {
	o        Options
	scheme   string
	address  string
	tcp      net.Listener
	udp      net.PacketConn
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	stopping bool
}

// New opens the port, unless it is to connect.
func New(o Options) (*Listener, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "udp" || u.Host == "" || u.Port() == "" {
		return nil, fmt.Errorf("%q is no address; write tcp://host:port or udp://host:port", o.URL)
	}
	l := &Listener{o: o, scheme: u.Scheme, address: u.Host, open: map[net.Conn]struct{}{}}
	switch {
	case o.Connect && u.Scheme == "udp":
		return nil, fmt.Errorf("%q: over UDP one can only listen", o.URL)
	case o.Connect:
	case u.Scheme == "tcp":
		l.tcp, err = net.Listen("tcp", u.Host)
	default:
		l.udp, err = net.ListenPacket("udp", u.Host)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", o.Name, err)
	}
	return l, nil
}

// Addr is where it listens; nil when it connects.
func (l *Listener) Addr() net.Addr {
	switch {
	case l.tcp != nil:
		return l.tcp.Addr()
	case l.udp != nil:
		return l.udp.LocalAddr()
	}
	return nil
}

// Run takes lines until ctx ends.
func (l *Listener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	switch {
	case l.udp != nil:
		return l.runUDP(ctx)
	case l.tcp != nil:
		return l.runTCP(ctx)
	}
	return l.runClient(ctx)
}

func (l *Listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping = true
	if l.tcp != nil {
		l.tcp.Close()
	}
	if l.udp != nil {
		l.udp.Close()
	}
	for c := range l.open {
		c.Close()
	}
}

// hold notes a connection; false when there are too many, or it is over.
func (l *Listener) hold(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping || len(l.open) >= maxConnections {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *Listener) release(c net.Conn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	c.Close()
}

func (l *Listener) runUDP(ctx context.Context) error {
	b := make([]byte, 64<<10)
	for {
		n, from, err := l.udp.ReadFrom(b)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("read %s: %w", l.o.Name, err)
		}
		if err := l.take(ctx, from, bytes.Clone(b[:n])); err != nil {
			return err
		}
	}
}

func (l *Listener) runTCP(ctx context.Context) error {
	var g sync.WaitGroup
	defer g.Wait()
	for {
		c, err := l.tcp.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("accept for %s: %w", l.o.Name, err)
		}
		if !l.hold(c) {
			l.o.Log.Warn("too many connections; one more was refused", "component", "ingest.sentences", "source", l.o.Name, "most", maxConnections)
			c.Close()
			continue
		}
		g.Go(func() {
			defer l.release(c)
			l.read(ctx, c)
		})
	}
}

func (l *Listener) runClient(ctx context.Context) error {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", l.address)
		if err == nil && l.hold(c) {
			wait = time.Second
			l.o.Log.Info("connected", "component", "ingest.sentences", "source", l.o.Name, "address", l.address)
			err = l.read(ctx, c)
			l.release(c)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.o.Log.Warn("the source is away; connecting again", "component", "ingest.sentences", "source", l.o.Name, "error", err, "retry_in", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// read hands over what waits, whole lines at a time.
func (l *Listener) read(ctx context.Context, c net.Conn) error {
	r := bufio.NewReaderSize(c, maxLine)
	var batch []byte
	for {
		c.SetReadDeadline(time.Now().Add(idle))
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			l.o.Log.Warn("a line is too long; the connection is closed", "component", "ingest.sentences", "source", l.o.Name, "from", c.RemoteAddr().String(), "most", maxLine)
			return fmt.Errorf("a line has more than %d bytes", maxLine)
		}
		batch = append(batch, line...)
		if len(batch) > 0 && (err != nil || r.Buffered() == 0 || len(batch) > 64<<10) {
			if takeErr := l.take(ctx, c.RemoteAddr(), batch); takeErr != nil {
				return takeErr
			}
			batch = nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *Listener) take(ctx context.Context, from net.Addr, lines []byte) error {
	return l.o.Take(ctx, ingest.Input{Topic: l.scheme + "/" + l.o.Name, Payload: lines, ReceivedAt: time.Now(), Sender: from.String()})
}
