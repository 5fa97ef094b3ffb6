package people

import (
	"fmt"
	"sync"
	"time"
)

// Locked says that too many wrong attempts were made, and until when no more
// are looked at. It says the same of names that have no account.
type Locked struct{ Until time.Time }

func (l *Locked) Error() string {
	return fmt.Sprintf("too many wrong attempts; the next one is looked at %s", l.Until.UTC().Format(time.RFC3339))
}

// guard counts wrong attempts. After some free ones each has to wait, twice as
// long as the one before: a person who mistypes notices little, a machine that
// guesses gets nowhere. It counts by account and address, so that who guesses
// does not lock out the owner elsewhere, and beside that by each alone.
type guard struct {
	mu    sync.Mutex
	by    map[string]*attempts
	swept time.Time
}

type attempts struct {
	wrong int
	until time.Time // the next is looked at from then on
	last  time.Time
}

// How many wrong attempts are free, and how waiting grows.
const (
	freeTogether = 5  // of one account from one address
	freeAddress  = 25 // from one address: an office has many people
	freeAccount  = 50 // of one account, from anywhere
	firstWait    = 30 * time.Second
	longestWait  = 15 * time.Minute
	forgiveEvery = 5 * time.Minute // one wrong attempt is forgotten
	mostKeys     = 50_000
)

func newGuard() *guard { return &guard{by: map[string]*attempts{}} }

// keys are what an attempt counts for, with how many are free.
func keys(account, address string) map[string]int {
	ks := map[string]int{"t " + account + " " + address: freeTogether, "d " + address: freeAddress}
	if account != "" {
		ks["n "+account] = freeAccount
	}
	return ks
}

// locked says until when the account's next attempt from an address has to wait.
func (g *guard) locked(account, address string, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var until time.Time
	for k := range keys(account, address) {
		if a := g.by[k]; a != nil && a.until.After(now) && a.until.After(until) {
			until = a.until
		}
	}
	if until.IsZero() {
		return nil
	}
	return &Locked{until}
}

// wrong counts a wrong attempt.
func (g *guard) wrong(account, address string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// Made-up names fill no memory: what is forgiven goes, now and then, and how
	// fast more can come is bounded by what a hash costs.
	if len(g.by) > mostKeys && now.Sub(g.swept) > time.Minute {
		g.swept = now
		for k, a := range g.by {
			if a.until.Before(now) && now.Sub(a.last) > forgiveEvery {
				delete(g.by, k)
			}
		}
	}
	for k, free := range keys(account, address) {
		a := g.by[k]
		if a == nil {
			a = &attempts{last: now}
			g.by[k] = a
		}
		a.wrong = max(0, a.wrong-int(now.Sub(a.last)/forgiveEvery)) + 1
		a.last = now
		if over := a.wrong - free; over >= 0 {
			a.until = now.Add(min(firstWait<<min(over, 10), longestWait))
		}
	}
}

// right forgets what was wrong before of the account from the address.
func (g *guard) right(account, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.by, "t "+account+" "+address)
}
