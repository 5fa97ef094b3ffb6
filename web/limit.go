package web

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter bounds what one address may do: n at once, then one every period.
type limiter struct {
	every rate.Limit
	burst int
	mu    sync.Mutex
	by    map[string]*rate.Limiter
}

func newLimiter(every time.Duration, burst int) *limiter {
	return &limiter{every: rate.Every(every), burst: burst, by: map[string]*rate.Limiter{}}
}

func (l *limiter) allow(r *http.Request) bool { return l.of(neighbourhood(r)).Allow() }

// spent says whether what somebody at r's address did is as much as they may,
// and take counts one more: for what counts only when it fails.
func (l *limiter) spent(r *http.Request, somebody string) bool {
	return l.of(neighbourhood(r)+" "+somebody).Tokens() < 1
}

func (l *limiter) take(r *http.Request, somebody string) {
	l.of(neighbourhood(r) + " " + somebody).Allow()
}

func (l *limiter) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.by[key]
	if x == nil {
		if len(l.by) > 50_000 {
			clear(l.by)
		}
		x = rate.NewLimiter(l.every, l.burst)
		l.by[key] = x
	}
	return x
}

// neighbourhood is whom a limit counts as one: an IPv4 address, or the IPv6
// network that one subscriber is given.
func neighbourhood(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if a := ap.Addr().Unmap(); a.Is4() {
		return a.String()
	}
	p, _ := ap.Addr().WithZone("").Prefix(64)
	return p.String()
}

func (s *Server) limited(l *limiter, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// Who has signed in may take in many reports, but not try many tokens.
		free := s.Open || who(r).Role != None && l != s.signIns
		if !free && !l.allow(r) {
			s.fail(w, r, errTooMany)
			return
		}
		h(w, r)
	}
}
