package mqtt

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// paho reads a packet in four system calls and writes each acknowledgement in
// one. At QoS 1 they cost more than all else, so its connection is wrapped: it
// reads what is there at once, and writes together what comes together.

// readBuffer holds some hundred readings.
const readBuffer = 64 << 10

// maxWaiting is how much may wait to be written before a write waits.
const maxWaiting = 1 << 20

// lumped is a connection that reads and writes in lumps.
type lumped struct {
	net.Conn
	r *bufio.Reader

	mu      sync.Mutex
	room    sync.Cond // less waits, or it is over
	waiting []byte
	spare   []byte
	wake    chan struct{}
	closed  bool
	err     error
}

func lump(c net.Conn) *lumped {
	l := &lumped{Conn: c, r: bufio.NewReaderSize(c, readBuffer), wake: make(chan struct{}, 1)}
	l.room.L = &l.mu
	go l.flush()
	return l
}

func (l *lumped) Read(b []byte) (int, error) { return l.r.Read(b) }

// Write leaves b to be written as soon as what is being written now is. An error
// of an earlier write is that of the next.
func (l *lumped) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > maxWaiting && l.err == nil && !l.closed {
		l.room.Wait()
	}
	if l.err != nil {
		return 0, l.err
	}
	if l.closed {
		return 0, net.ErrClosed
	}
	l.waiting = append(l.waiting, b...)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return len(b), nil
}

// flush writes until the connection is closed, and then what is left.
func (l *lumped) flush() {
	for range l.wake {
		l.mu.Lock()
		out, closed := l.waiting, l.closed
		l.waiting, l.spare = l.spare[:0], out
		l.room.Broadcast()
		l.mu.Unlock()
		var err error
		if len(out) > 0 {
			_, err = l.Conn.Write(out)
		}
		if err != nil || closed {
			l.mu.Lock()
			if l.err = err; err == nil {
				l.err = net.ErrClosed
			}
			l.room.Broadcast()
			l.mu.Unlock()
			l.Conn.Close()
			return
		}
	}
}

// Close writes what waits, for at most a second, and closes.
func (l *lumped) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.Conn.SetWriteDeadline(time.Now().Add(time.Second))
	l.Conn.SetReadDeadline(time.Now()) // whoever reads is to hear of it now
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

// dial connects to tcp, mqtt, ssl, tls and mqtts addresses.
func dial(u *url.URL, o paho.ClientOptions) (net.Conn, error) {
	d := &net.Dialer{Timeout: o.ConnectTimeout}
	switch u.Scheme {
	case "tcp", "mqtt":
		c, err := d.Dial("tcp", u.Host)
		if err != nil {
			return nil, err
		}
		return lump(c), nil
	case "ssl", "tls", "mqtts":
		c, err := tls.DialWithDialer(d, "tcp", u.Host, o.TLSConfig)
		if err != nil {
			return nil, err
		}
		return lump(c), nil
	}
	return nil, fmt.Errorf("broker address %s: the scheme must be tcp, mqtt, ssl, tls, mqtts, ws or wss", u.Redacted())
}

// isWebsocket says whether paho is to connect by itself.
func isWebsocket(address string) bool {
	return strings.HasPrefix(address, "ws://") || strings.HasPrefix(address, "wss://")
}
