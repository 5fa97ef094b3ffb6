package credentials

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"haidang/devices"
)

// guesses slows who tries secrets. Wrong ones alone count, and a secret that is
// known to be right is let in before they are asked: many phones share a
// network's address, and one of them must not shut the others out.
type guesses struct {
	mu sync.Mutex
	by map[string]*rate.Limiter
}

func newGuesses() guesses { return guesses{by: map[string]*rate.Limiter{}} }

// Of one device's secret an address may guess five, then one each ten seconds;
// of all devices' together so many that their hashes cost a core a few percent.
const (
	guessEvery, guessBurst     = 10 * time.Second, 5
	addressEvery, addressBurst = 20 * time.Millisecond, 200
)

// spent says whether an address has guessed as much as it may.
func (g *guesses) spent(address string, id devices.ID, now time.Time) bool {
	from := Neighbourhood(address)
	return g.of(from+" "+id.Key(), guessEvery, guessBurst).TokensAt(now) < 1 || g.of(from, addressEvery, addressBurst).TokensAt(now) < 1
}

// count counts a wrong guess.
func (g *guesses) count(address string, id devices.ID, now time.Time) {
	from := Neighbourhood(address)
	g.of(from+" "+id.Key(), guessEvery, guessBurst).AllowN(now, 1)
	g.of(from, addressEvery, addressBurst).AllowN(now, 1)
}

func (g *guesses) of(key string, every time.Duration, burst int) *rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.by[key]
	if l == nil {
		if len(g.by) > 50_000 {
			clear(g.by)
		}
		l = rate.NewLimiter(rate.Every(every), burst)
		g.by[key] = l
	}
	return l
}

// Neighbourhood is whom a limit counts as one, of an address host:port: an IPv4
// address, or the IPv6 network that one subscriber is given.
func Neighbourhood(address string) string {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	if a := ap.Addr().Unmap(); a.Is4() {
		return a.String()
	}
	p, _ := ap.Addr().WithZone("").Prefix(64)
	return p.String()
}
