package live

import (
	"context"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// write is the client's one writer.
func (c *client) write(ctx context.Context) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-c.quit:
			c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(c.code, c.text), time.Now().Add(farewell))
			// A connection cut at once may lose the close frame on its way: the
			// reader waits for the answer, and closes.
			c.conn.SetReadDeadline(time.Now().Add(farewell))
			return
		case <-ping.C:
			if c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.h.writeWait)) != nil {
				c.conn.Close()
				return
			}
		case <-c.wake:
			for more := !c.leaving(); more; {
				ms, again, err := c.gather(ctx)
				if err != nil {
					c.h.Logger.Error("read changes for a screen", "component", "web.live", "error", err)
					c.close(closeGoingAway, "the server could not read its changes; connect again")
					break
				}
				for _, m := range ms {
					if !c.send(m) {
						return
					}
					if c.leaving() {
						break
					}
				}
				more = again && !c.leaving()
			}
		}
	}
}

// send writes one message; false: the connection is over. Who follows a lossless
// channel and is too slow for it is sent away to resume.
func (c *client) send(m *websocket.PreparedMessage) bool {
	start := time.Now()
	c.conn.SetWriteDeadline(start.Add(c.h.writeWait))
	if c.conn.WritePreparedMessage(m) != nil {
		c.conn.Close() // stuck, or gone: it resumes with its last number
		return false
	}
	if time.Since(start) > c.h.slowAfter {
		c.mu.Lock()
		lossless := len(c.channels) > 0
		c.mu.Unlock()
		if lossless {
			c.close(closeSlow, "too slow; connect again and resume")
		}
	}
	return true
}

func (c *client) leaving() bool {
	select {
	case <-c.quit:
		return true
	default:
		return false
	}
}

// gather takes all that waits. again says that there is more.
func (c *client) gather(ctx context.Context) (ms []*websocket.PreparedMessage, again bool, err error) {
	c.mu.Lock()
	ms, c.replies = c.replies, nil
	if c.stats != nil {
		ms = append(ms, c.stats)
		c.stats = nil
	}
	var due []string
	for name, p := range c.channels {
		if p.due {
			p.due = false
			due = append(due, name)
		}
	}
	c.mu.Unlock()
	m, again := c.mapMessage()
	if m != nil {
		ms = append(ms, m)
	}
	slices.Sort(due)
	for _, name := range due {
		m, more, err := c.follow(ctx, name)
		if err != nil {
			return nil, false, err
		}
		if more {
			c.channelDue(name)
		}
		ms = append(ms, m...)
	}
	return ms, again, nil
}
