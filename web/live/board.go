package live

import (
	"encoding/json"
	"slices"
	"sort"
	"sync"
	"time"

	"haidang/devices"
)

// turnAfter is how long the board remembers for certain where a device has
// been: one turn at least, two at most. A screen that is further behind than
// that starts anew with a snapshot.
const turnAfter = 30 * time.Second

// board is what the map last told of each device. All clients read from it: for
// whom it is how far behind, the board tells what changed since, of each device
// the newest, and so holds nothing for any of them.
type board struct {
	mu    sync.Mutex
	seq   int64
	cells map[devices.ID]*cell
	log   []told // by seq; those that a later one of the same device follows are passed over

	turn   int
	turned time.Time
	began  [2]int64 // seq before this turn, and before the one before
}

type told struct {
	seq  int64
	cell *cell
}

// cell is one device on the board.
type cell struct {
	seq  int64 // of its newest change that was told
	dev  *devices.Device
	json json.RawMessage
	// Where it was told to be: in at since change number moved, before that in
	// was since movedBefore, and before that somewhere in trail. Who looks at
	// where it was hears of it once more when it has left, or else its marker
	// would stay behind.
	at, was            point
	moved, movedBefore int64
	trail              [2]bbox // of this turn and the one before
	turn               int
	left               *devices.Device // see item.left
	leftAt             int64           // the change by which it did
}

func newBoard() *board {
	return &board{cells: map[devices.ID]*cell{}, turned: time.Now()}
}

// skip notes that something changed while nobody looked: who comes next begins
// with a snapshot, so all may be forgotten.
func (b *board) skip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	if len(b.cells) > 0 {
		b.cells, b.log = map[devices.ID]*cell{}, nil
	}
}

// put notes changes, and returns their number.
func (b *board) put(items []item) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	for i := range items {
		it := &items[i]
		c := b.cells[it.id]
		if c == nil {
			c = &cell{at: it.at, turn: b.turn, trail: [2]bbox{it.trail, it.trail}, moved: b.seq, movedBefore: b.seq}
			b.cells[it.id] = c
		}
		if c.at != it.at {
			c.moveTo(it.at, b.seq, b.turn)
		}
		it.trail = c.since(b.seq - 1)
		if c.seq != b.seq {
			b.log = append(b.log, told{b.seq, c})
		}
		c.seq, c.dev, c.json = b.seq, it.dev, it.json
		if it.left != nil {
			c.left, c.leftAt = it.left, b.seq
		}
	}
	if len(b.log) > 2*len(b.cells)+64 {
		b.log = slices.DeleteFunc(b.log, func(t told) bool { return t.seq != t.cell.seq })
	}
	return b.seq
}

func (c *cell) moveTo(to point, seq int64, turn int) {
	switch c.turn {
	case turn:
	case turn - 1:
		c.trail = [2]bbox{c.at.box(), c.trail[0]}
	default:
		c.trail = [2]bbox{c.at.box(), c.at.box()}
	}
	c.trail[0], c.turn = c.trail[0].with(to), turn
	c.was, c.movedBefore = c.at, c.moved
	c.at, c.moved = to, seq
}

// since bounds where the device was told to be from change number seq on.
func (c *cell) since(seq int64) bbox {
	switch {
	case c.moved <= seq:
		return c.at.box()
	case c.movedBefore <= seq:
		return c.was.box().with(c.at)
	}
	return c.trail[0].and(c.trail[1])
}

// since returns the newest item of each device that may be seen (nil: of all),
// changed after seq and is, or was of late, in the box; and the number up to
// which that is all. False: that is too long ago to tell.
func (b *board) since(seq int64, box bbox, sees func(*devices.Device) bool) (items []json.RawMessage, to int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if seq < b.began[1] {
		return nil, b.seq, false
	}
	first := sort.Search(len(b.log), func(i int) bool { return b.log[i].seq > seq })
	for _, t := range b.log[first:] {
		c := t.cell
		switch {
		case t.seq != c.seq || !c.since(seq).meets(box):
		case sees == nil || sees(c.dev):
			items = append(items, c.json)
		case c.leftAt > seq && sees(c.left):
			items = append(items, gone(c.dev.ID))
		}
	}
	return items, b.seq, true
}

// last is the number of the last change.
func (b *board) last() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seq
}

// tick begins a new turn when it is time.
func (b *board) tick(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.turned) >= turnAfter {
		b.turn, b.turned = b.turn+1, now
		b.began = [2]int64{b.seq, b.began[0]}
	}
}
