package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"haidang/alerts"
	"haidang/alerts/dispatch"
	"haidang/devices"
	"haidang/devices/agencies"
	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/calendars"
	"haidang/devices/commands"
	"haidang/devices/credentials"
	"haidang/devices/health"
	"haidang/devices/people"
	"haidang/devices/retention"
	"haidang/devices/sheet"
	"haidang/ingest"
	"haidang/ingest/deadletters"
	"haidang/ingest/influx"
	"haidang/ingest/latest"
	"haidang/ingest/media"
	"haidang/ingest/reports"
	"haidang/ingest/rollup"
	"haidang/web/live"
)

// Pipeline takes readings that come over HTTP.
type Pipeline interface {
	Ingest(ctx context.Context, sender string, id devices.ID, leaf string, payload []byte) (ingest.Outcome, error)
	Submit(ctx context.Context, m ingest.Message) error
	Sources(now time.Time) []ingest.SourceCount
	Take(ctx context.Context, source string, f *ingest.Format, in ingest.Input) (ingest.Outcome, error)
}

// Options are what a Server shows and commands.
type Options struct {
	// Open serves everybody on this machine as operator, and nobody else.
	Open   bool
	Tokens []Token
	// OIDC is an identity provider by which people may sign in too.
	OIDC OIDC
	// Proxies are believed when they say who asks.
	Proxies []netip.Prefix
	// People are accounts, roles and sessions.
	People  *people.Store
	Version string

	// Health keeps how devices did.
	Health *health.Store
	// Commands tells devices what to do.
	Commands *commands.Service
	// Retention keeps how long things are kept; Nightly removes what is older.
	Retention *retention.Store
	Nightly   *retention.Job
	// Audit keeps who did what.
	Audit    *audit.Log
	Registry *devices.Registry
	// Credentials are what devices sign in with.
	Credentials *credentials.Store
	Areas       *areas.Store
	Agencies    *agencies.Store
	Calendars   *calendars.Store
	Tracker     *latest.Tracker
	History     ingest.History
	Events      EventHistory
	Pipeline    Pipeline
	// Format finds a decoder of a foreign format by its name.
	Format      func(name string) (*ingest.Format, bool)
	DeadLetters *deadletters.Store
	Reports     *reports.Service
	Media       *media.Store
	Alerts      *alerts.Store
	Dispatch    *dispatch.Service
	Hub         *live.Hub
	// Influx says how far the copy to InfluxDB has come; nil: none is
	// configured.
	Influx func() influx.Status
	// Ready says why the program cannot take data now; nil: it can. Warnings
	// are what needs somebody's hand soon all the same.
	Ready    func() error
	Warnings func() []string
	// SourceProblems are what is wrong with a source, by its name; may be nil.
	SourceProblems func(name string) []ingest.SourceProblem
	// Rollups are the figures by hour and day.
	Rollups *rollup.Rollups
	Pages   fs.FS
	Metrics prometheus.Gatherer
	// Counters takes this server's own metrics; nil: nobody does.
	Counters prometheus.Registerer
	// Limits bound what accounts and addresses may do.
	Limits Limits
	Log    *slog.Logger
}

// Server answers HTTP.
type Server struct {
	Options
	imports  *sheet.Imports
	oidc     *oidcClient
	signIns  *limiter // beside the guard of people: it bounds the work, right or wrong
	refusals *limiter // that are recorded, by who
	submits  *limiter
	// provisions are devices' that register themselves: many may do so at one
	// address, when they are taken out of their boxes.
	provisions *limiter
	lookups    *limiter // of report codes, which nobody shall find by trying
	gauges     map[class]gauge
	open       sockets
	bodyWait   time.Duration
	beyond     *prometheus.CounterVec // what was refused for a limit
	handler    *chi.Mux
}

// New builds the server.
func New(o Options) *Server {
	if o.Format == nil {
		o.Format = func(string) (*ingest.Format, bool) { return nil, false }
	}
	s := &Server{Options: o, oidc: &oidcClient{OIDC: o.OIDC, pending: map[string]pendingSignIn{}}, signIns: newLimiter(time.Second, 60), refusals: newLimiter(time.Minute, 5),
		submits: newLimiter(20*time.Second, 10), provisions: newLimiter(time.Second, 200), lookups: newLimiter(time.Second, 60)}
	s.limit()
	s.imports = sheet.NewImports(o.Registry, o.Credentials, waiting{s})
	s.handler = s.routes()
	return s
}

// Close ends what goes on beyond requests; the stores must still be open.
func (s *Server) Close() error { return s.imports.Close() }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// body reads a JSON body of at most limit bytes; unknown members are errors, so
// that a misspelt one is told.
func (s *Server) body(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil // no body: all members have their zero value
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err == nil || tooLarge {
		return err
	}
	return fmt.Errorf("%w: the body is not the JSON that is expected here: %v", errBadRequest, err)
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, err)
	} else {
		io.WriteString(w, "ready\n")
	}
	if s.Warnings != nil {
		for _, warning := range s.Warnings() {
			fmt.Fprintln(w, "warning:", warning)
		}
	}
	if s.Influx != nil { // its outage costs devices nothing: we are ready all the same
		fmt.Fprintln(w, s.Influx())
	}
}

func (s *Server) metrics() http.Handler {
	return promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{})
}
