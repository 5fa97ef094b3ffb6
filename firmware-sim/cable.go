package firmwaresim

import (
	"context"
	"net"
	"net/url"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// cable is what a dropout pulls: it holds the device's connection and can
// break it without a word of MQTT, so that the broker sends the last will.
type cable struct {
	mu    sync.Mutex
	conn  net.Conn
	out   bool
	again chan struct{} // closed when the cable is plugged in again
}

// dial opens the connection for paho and remembers it.
func (c *cable) dial(uri *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", uri.Host, dialTimeout)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		conn.Close()
		return nil, net.ErrClosed
	}
	c.conn = conn
	return conn, nil
}

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return
	}
	c.out, c.again = true, make(chan struct{})
	if c.conn != nil {
		c.conn.Close()
	}
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		c.out = false
		close(c.again)
	}
}

// plugged waits until there is a network.
func (c *cable) plugged(ctx context.Context) {
	c.mu.Lock()
	out, again := c.out, c.again
	c.mu.Unlock()
	if !out {
		return
	}
	select {
	case <-ctx.Done():
	case <-again:
	}
}
