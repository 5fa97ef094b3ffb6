package web

import (
	"fmt"
	"math"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"haidang/ingest"
)

// class says what a request costs.
type class string

// What devices and other systems' senders bring is free: it has limits of its own
// in the pipeline, beyond which it waits and is not refused. So is what watches
// over the program.
const (
	free    class = ""
	reads   class = "reads"
	writes  class = "writes"
	exports class = "exports"
	imports class = "imports"
	uploads class = "uploads"
)

// Limits are what one account may do, or one token; the zero value of each is no
// limit. Who is beyond is refused until there is room again.
type Limits struct {
	Reads, Writes, Exports, Imports, Uploads ingest.Limit
	// Websockets is how many may be open at once.
	Websockets int
	// Address is how many times as much one address may do, whoever asks: a whole
	// office, or a street behind a provider, can have one.
	Address int
}

func (l *Limits) of(c class) ingest.Limit {
	switch c {
	case reads:
		return l.Reads
	case writes:
		return l.Writes
	case exports:
		return l.Exports
	case imports:
		return l.Imports
	case uploads:
		return l.Uploads
	}
	return ingest.Limit{}
}

// machines are the beginnings of paths by which devices and programs send, or
// which watch over the program.
var machines = []string{"/osmand", "/api/v2/write", "/api/v1/formats/", "/api/v1/indicators", "/api/v1/provision", "/healthz", "/readyz", "/metrics", "/assets/"}

// ofDevice are a device's own calls below its path.
var ofDevice = regexp.MustCompile(`^(?:POST /api/v1/devices/[^/]+/(?:readings|events|config/reported|replies/[^/]+)|GET /api/v1/devices/[^/]+/commands/pending)$`)

// classOf finds the class of a request by its method and path.
func classOf(r *http.Request) class {
	p := r.URL.Path
	for _, m := range machines {
		if strings.HasPrefix(p, m) && p != "/api/v1/provisioning-keys" && !strings.HasPrefix(p, "/api/v1/provisioning-keys/") {
			return free
		}
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch last := p[strings.LastIndex(p, "/")+1:]; {
	case ofDevice.MatchString(r.Method + " " + p):
		return free
	case p == "/ws": // counted while it is open
		return free
	case read && (last == "export" || last == "labels" || r.URL.Query().Get("export") != ""):
		return exports
	case read:
		return reads
	case last == "import":
		return imports
	case last == "photo" || kind == "multipart/form-data":
		return uploads
	}
	return writes
}

// tooMany is returned when somebody is beyond a limit.
type tooMany struct {
	what  string
	by    string // "account" or "address"
	after time.Duration
}

// Error says in words what was too much, and until when.
func (e *tooMany) Error() string {
	return fmt.Sprintf("too many %s by this %s; wait %d seconds", e.what, e.by, e.seconds())
}

func (e *tooMany) seconds() int { return max(1, int(math.Ceil(e.after.Seconds()))) }

// gauge counts what each account and address does in one class.
type gauge struct {
	account, address *limiter
}

func newGauges(l Limits) map[class]gauge {
	gs := map[class]gauge{}
	for _, c := range []class{reads, writes, exports, imports, uploads} {
		if lim := l.of(c); lim.N > 0 {
			every := lim.Per / time.Duration(lim.N)
			gs[c] = gauge{account: newLimiter(every, lim.N), address: newLimiter(every/time.Duration(max(1, l.Address)), lim.N*max(1, l.Address))}
		}
	}
	return gs
}

// limit sets up what the server's limits count in.
func (s *Server) limit() {
	for what, l := range map[string]*limiter{"sign-ins": s.signIns, "reports": s.submits, "provisionings": s.provisions, "look-ups": s.lookups} {
		l.what = what
	}
	s.gauges, s.open.by = newGauges(s.Limits), map[string]int{}
	s.bodyWait = bodyWait
	s.beyond = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_web_limited_total", Help: "Requests refused with 429, by what was too much and whose limit it was."}, []string{"what", "by"})
	if s.Counters != nil {
		s.Counters.MustRegister(s.beyond)
	}
}

// take takes one from a limit, or says how long until there is one.
func take(l *rate.Limiter) (wait time.Duration, ok bool) {
	now := time.Now()
	if l.AllowN(now, 1) {
		return 0, true
	}
	return time.Duration((1 - l.TokensAt(now)) / float64(l.Limit()) * float64(time.Second)), false
}

// measured keeps each account and each address to its limits.
func (s *Server) measured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := classOf(r)
		g, limited := s.gauges[c]
		if !limited || s.Open { // the open demo is this machine's alone
			next.ServeHTTP(w, r)
			return
		}
		if wait, ok := take(g.address.of(neighbourhood(r))); !ok {
			s.tooMany(w, r, &tooMany{string(c), "address", wait})
			return
		}
		if id := who(r); id.known() {
			if wait, ok := take(g.account.of(id.name)); !ok {
				s.tooMany(w, r, &tooMany{string(c), "account", wait})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// tooMany refuses what is beyond a limit, and counts it.
func (s *Server) tooMany(w http.ResponseWriter, r *http.Request, e *tooMany) {
	s.beyond.WithLabelValues(strings.ReplaceAll(e.what, " ", "_"), e.by).Inc()
	s.fail(w, r, e)
}

// sockets counts open websockets by account and address.
type sockets struct {
	mu sync.Mutex
	by map[string]int
}

// enter counts one in under keys, unless one of them has as many as it may: then
// it says which.
func (k *sockets) enter(most map[string]int) (full string, leave func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, n := range most {
		if k.by[key] >= n {
			return key, nil
		}
	}
	for key := range most {
		k.by[key]++
	}
	return "", func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		for key := range most {
			if k.by[key]--; k.by[key] == 0 {
				delete(k.by, key)
			}
		}
	}
}

// socket counts a websocket in, or answers that there are too many.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) (leave func(), ok bool) {
	n := s.Limits.Websockets
	if n == 0 || s.Open {
		return func() {}, true
	}
	account := "account " + who(r).name
	full, leave := s.open.enter(map[string]int{account: n, "address " + neighbourhood(r): n * max(1, s.Limits.Address)})
	if full != "" {
		by, _, _ := strings.Cut(full, " ")
		s.tooMany(w, r, &tooMany{"open websockets", by, 10 * time.Second})
		return nil, false
	}
	return leave, true
}
