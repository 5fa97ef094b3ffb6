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
				frames, again, err := c.gather(ctx)
				if err != nil {
					c.h.Logger.Error("read changes for a screen", "component", "web.live", "error", err)
					c.close(closeGoingAway, "the server could not read its changes; connect again")
					break
				}
				for _, f := range frames {
					if !c.send(f) {
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

// send writes one frame; false: the connection is over. Who follows a lossless
// channel and is too slow for it is sent away to resume.
func (c *client) send(frame []byte) bool {
	start := time.Now()
	c.conn.SetWriteDeadline(start.Add(c.h.writeWait))
	if c.conn.WriteMessage(websocket.TextMessage, frame) != nil {
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

// gather takes all that waits. again says that a channel has more.
func (c *client) gather(ctx context.Context) (frames [][]byte, again bool, err error) {
	c.mu.Lock()
	frames, c.replies = c.replies, nil
	if c.stats != nil {
		frames = append(frames, c.stats)
		c.stats = nil
	}
	var snapshotOf *view
	if v := c.view; v != nil {
		if v.snapshot || v.due {
			v.snapshot, v.due = false, false
			v.forget()
			snapshotOf = v
		} else if f := v.changed(c.h.epoch); f != nil {
			frames = append(frames, f)
		}
	}
	names := make([]string, 0, len(c.channels))
	for n := range c.channels {
		names = append(names, n)
	}
	c.mu.Unlock()
	slices.Sort(names)
	if snapshotOf != nil {
		frames = append(frames, c.mapSnapshot(snapshotOf))
	}
	for _, n := range names {
		f, more, err := c.follow(ctx, n)
		if err != nil {
			return nil, false, err
		}
		frames = append(frames, f...)
		again = again || more
	}
	return frames, again, nil
}
