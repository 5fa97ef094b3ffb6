package ingest

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// lane is a queue of messages that wait to be kept. Each has room of its own,
// so that none fills the memory that another needs.
type lane struct {
	queue chan *work
	size  int64               // its room in bytes
	room  *semaphore.Weighted // what of it is free
	// rest is what the committing goroutine took from the queue and has not
	// committed: the tail of a long message, or the message it woke up for.
	rest []part
}

// queueSize is larger than any broker's in-flight window, so that the window,
// not the queue, is what slows a sender.
const queueSize = 1 << 16

// maxWaiting bounds what waits in bytes: a full disk must not fill memory. What
// is beyond it waits with its sender.
const maxWaiting = 256 << 20

func newLane(size int64) *lane {
	return &lane{queue: make(chan *work, queueSize), size: size, room: semaphore.NewWeighted(size)}
}

// weight is about what a message takes in memory while it waits.
func (l *lane) weight(w *work) int64 { return min(512+4*int64(len(w.Payload)), l.size) }

// add waits for room until ctx ends.
func (l *lane) add(ctx context.Context, w *work) error {
	if err := l.room.Acquire(ctx, l.weight(w)); err != nil {
		return err
	}
	w.lane = l
	select {
	case l.queue <- w:
		return nil
	case <-ctx.Done():
		l.room.Release(l.weight(w))
		return ctx.Err()
	}
}

// leave gives back the room of a message that came to its end.
func (l *lane) leave(w *work) { l.room.Release(l.weight(w)) }

// waiting is how many messages there are to take, as the committing goroutine
// sees it.
func (l *lane) waiting() int { return len(l.rest) + len(l.queue) }

// part is some of a message's elements: one of a slow lane can be longer than a
// batch.
type part struct {
	w        *work
	elements []element
}

// put leaves a message that was taken from the queue for the next take.
func (l *lane) put(w *work) {
	w.left = len(w.elements)
	l.rest = append(l.rest, part{w, w.elements})
}

// take returns what waits, up to most elements. With cut it is no more than
// that; without, the last message is taken whole.
func (l *lane) take(most int, cut bool) (batch []part) {
	batch, l.rest = l.rest, nil
	n := 0
	for i := 0; ; i++ {
		if i == len(batch) {
			select {
			case w := <-l.queue:
				w.left = len(w.elements)
				batch = append(batch, part{w, w.elements})
			default:
				return batch
			}
		}
		b := &batch[i]
		if over := n + len(b.elements) - most; cut && over > 0 {
			keep := len(b.elements) - over
			l.rest = append([]part{{b.w, b.elements[keep:]}}, batch[i+1:]...)
			b.elements = b.elements[:keep]
			return batch[:i+1]
		}
		if n += len(b.elements); n >= most {
			l.rest = append([]part(nil), batch[i+1:]...)
			return batch[:i+1]
		}
	}
}
