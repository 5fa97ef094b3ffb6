package web

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"haidang/devices/credentials"
)

// limiter bounds what one address may do: n at once, then one every period.
type limiter struct {
	what  string // it bounds
	every rate.Limit
	burst int
	mu    sync.Mutex
	by    map[string]*rate.Limiter
}

func newLimiter(every time.Duration, burst int) *limiter {
	return &limiter{every: rate.Every(every), burst: burst, by: map[string]*rate.Limiter{}}
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

// neighbourhood is whom a limit counts as one.
func neighbourhood(r *http.Request) string { return credentials.Neighbourhood(r.RemoteAddr) }

func (s *Server) limited(l *limiter, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// Who has signed in may take in many reports, but not try many tokens.
		free := s.Open || who(r).known() && l != s.signIns
		if !free {
			if wait, ok := take(l.of(neighbourhood(r))); !ok {
				s.tooMany(w, r, &tooMany{l.what, "address", wait})
				return
			}
		}
		h(w, r)
	}
}
