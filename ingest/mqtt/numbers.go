package mqtt

import (
	"context"
	"sync"
)

// numbers are the packet identifiers of a connection's messages that wait for
// their acknowledgement. A broker may not use one again before that (MQTT 3.1.1,
// 2.3.1), but mosquitto 2.0 does: it sends a kept session's whole queue and
// counts from 1 to 65,535 and on from 1. It takes the acknowledgement of the
// later message for that of the earlier, and forgets that one before it is kept.
// So the later waits here until the earlier is acknowledged.
type numbers struct {
	mu     sync.Mutex
	less   sync.Cond
	taken  [1 << 16 / 64]uint64
	over   bool
	unhook func() bool // from what ends them
}

// newNumbers are those of a connection that ends with ctx at the latest.
func newNumbers(ctx context.Context) *numbers {
	n := &numbers{}
	n.less.L = &n.mu
	n.unhook = context.AfterFunc(ctx, func() {
		n.mu.Lock()
		n.over = true
		n.less.Broadcast()
		n.mu.Unlock()
	})
	return n
}

// take waits until nothing else has the number id, and takes it; false: that was
// not before the end.
func (n *numbers) take(id uint16) bool {
	word, bit := &n.taken[id/64], uint64(1)<<(id%64)
	n.mu.Lock()
	defer n.mu.Unlock()
	for *word&bit != 0 && !n.over {
		n.less.Wait()
	}
	if n.over {
		return false
	}
	*word |= bit
	return true
}

// leave gives it back, after the acknowledgement is on its way.
func (n *numbers) leave(id uint16) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken[id/64] &^= 1 << (id % 64)
	n.less.Broadcast()
}
