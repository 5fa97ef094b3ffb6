package ingest

import "time"

// pace says how much backfill may be kept beside what is live. It costs what
// live readings need: the CPU that decodes it, and all that reads the journal
// after it. So while anything live comes, backfill gets steady entries in a
// second; else all it wants.
type pace struct {
	tokens float64 // entries that are allowed now
	at     time.Time
	live   time.Time // when something live last came
	bulk   time.Time // when the bulk lane was last empty, or had its turn
}

const (
	steady = 500         // entries a second
	quiet  = time.Second // without anything live, until we are idle
	// lump is how many entries are worth a sync of the disk of their own, when
	// so many wait.
	lump = 25
	// bulkBatch is the most entries of backfill in one commit while anything
	// live comes: what a live reading has to wait for at most.
	bulkBatch = 250
	// idleBatch is as much while nothing does.
	idleBatch = 1000
	// patience is how long the bulk lane waits beside what is live: a session
	// stands still while its window is full of what waits there, and live readings
	// that come by other ways may leave no gap.
	patience = 100 * time.Millisecond
	// crowd is how many messages in the bulk lane are too many: when it is full,
	// the session stands still, and what is live stands behind it.
	crowd = queueSize / 2
)

func newPace(now time.Time) *pace { return &pace{at: now, bulk: now} }

// heard notes that something live came.
func (p *pace) heard(now time.Time) { p.live = now }

// idle says that nothing live comes.
func (p *pace) idle(now time.Time) bool { return now.Sub(p.live) >= quiet }

// turn says whether the bulk lane, in which so many messages wait, is to be
// emptied in this commit, alone or along with what is live.
func (p *pace) turn(alone bool, waiting int, now time.Time) bool {
	mine := waiting > 0 && (alone || waiting > crowd || now.Sub(p.bulk) >= patience)
	if mine || waiting == 0 {
		p.bulk = now
	}
	return mine
}

// most is how many entries of backfill one commit may hold when so many messages
// of it wait: few, for what is live has to wait for it, and more for those that
// are too many; more, to a sync of the disk, while nothing live comes.
func (p *pace) most(waiting int, now time.Time) int {
	if p.idle(now) {
		return min(max(idleBatch, waiting/8), maxBatch)
	}
	return min(max(bulkBatch, (waiting-crowd)/8), maxBatch)
}

// allows returns how many entries of backfill may be kept now, when that many
// messages of it wait: along with what is live or, alone, in a sync of their
// own. If none, wait is until some may.
func (p *pace) allows(alone bool, waiting int, now time.Time) (n int, wait time.Duration) {
	p.tokens = min(p.tokens+steady*now.Sub(p.at).Seconds(), bulkBatch)
	p.at = now
	if p.idle(now) {
		return idleBatch, 0
	}
	if worth := float64(min(lump, waiting)); alone && p.tokens < worth {
		return 0, time.Duration((worth-p.tokens)/steady*float64(time.Second)) + time.Millisecond
	}
	return int(p.tokens), 0
}

// spend takes n from what is allowed.
func (p *pace) spend(n int) { p.tokens = max(p.tokens-float64(n), 0) }
