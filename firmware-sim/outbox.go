package firmwaresim

import "sync"

// outboxSize bounds what a device holds while it cannot send; a backlog of a
// burst must fit.
const outboxSize = 12_000

// outbox is a bounded queue that costs nothing while it is empty: ten
// thousand channels of this depth would.
type outbox struct {
	mu      sync.Mutex
	waiting []Message
	filled  chan struct{} // holds one token while something may wait
}

func newOutbox() *outbox { return &outbox{filled: make(chan struct{}, 1)} }

// put says false when the box is full.
func (o *outbox) put(m Message) bool {
	o.mu.Lock()
	full := len(o.waiting) >= outboxSize
	if !full {
		o.waiting = append(o.waiting, m)
	}
	o.mu.Unlock()
	o.wake()
	return !full
}

// wake has whoever waits for the box look again.
func (o *outbox) wake() {
	select {
	case o.filled <- struct{}{}:
	default:
	}
}

// first gives the oldest message and leaves it in the box.
func (o *outbox) first() (Message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return Message{}, false
	}
	return o.waiting[0], true
}

// done takes the oldest message out: it has been acknowledged.
func (o *outbox) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[0] = Message{}
	if o.waiting = o.waiting[1:]; len(o.waiting) == 0 {
		o.waiting = nil
	}
}
