package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"haidang/alerts"
	"haidang/alerts/dispatch"
	"haidang/alerts/engine"
	"haidang/alerts/rules"
	"haidang/devices"
	"haidang/devices/agencies"
	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/calendars"
	"haidang/devices/changelog"
	"haidang/devices/commands"
	"haidang/devices/credentials"
	"haidang/devices/health"
	"haidang/devices/people"
	"haidang/devices/retention"
	"haidang/devices/statedb"
	"haidang/ingest"
	"haidang/ingest/broker"
	"haidang/ingest/deadletters"
	"haidang/ingest/influx"
	"haidang/ingest/journal"
	"haidang/ingest/latest"
	"haidang/ingest/media"
	brokerfiles "haidang/ingest/mosquitto"
	"haidang/ingest/mqtt"
	"haidang/ingest/reports"
	"haidang/ingest/rollup"
	"haidang/web"
	"haidang/web/live"
	"haidang/web/ui"
)

// app is the program put together: sinks before sources, closed in reverse.
//
//	broker ─▶ mqtt ─▶ pipeline ─▶ journal ─▶ latest · engine · influx
//	                                   changes ─▶ hub ─▶ screens, ioc/v1/live
type app struct {
	cfg  Config
	open bool // serves this machine without credentials
	log  *slog.Logger
	stop *stack

	prom     *prometheus.Registry
	registry *devices.Registry
	audit    *audit.Log
	people   *people.Store

	credentials *credentials.Store
	mosquitto   *brokerfiles.Keeper // of an outside one's files; nil: nobody's

	changes  *changelog.Log
	letters  *deadletters.Store
	journal  *journal.Journal
	tracker  *latest.Tracker
	pipeline *ingest.Pipeline
	sources  *sources
	runs     []runner
	folders  []folder // that runs watch
	alerts   *alerts.Store
	engine   *engine.Engine
	broker   *broker.Broker
	source   *mqtt.Source
	feeds    []*mqtt.Source // beside it, of an outside broker
	hub      *live.Hub
	server   *http.Server
	tls      *tls.Config // nil: it is not spoken
	listener net.Listener
	history  ingest.History
	rollups  *rollup.Rollups
	influx   *influx.Writer
	cursor   *influx.Cursor // of it
	health   *health.Store
	commands *commands.Service
	nightly  *retention.Job

	httpURL, mqttURL string
}

// build opens everything; nothing runs yet and nobody is let in.
func build(ctx context.Context, cfg Config, open bool, log *slog.Logger) (_ *app, err error) {
	a := &app{cfg: cfg, open: open, log: log, stop: &stack{log: log}, prom: prometheus.NewRegistry(), tracker: latest.New()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.stop.unwind())
		}
	}()
	a.prom.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// Take the port first: a second program on the same one must not touch
	// the data of the first.
	if a.listener, err = net.Listen("tcp", cfg.HTTP); err != nil {
		return nil, taken(err, "HTTP", cfg.HTTP, "--http")
	}
	a.stop.add("HTTP port", func() error { a.listener.Close(); return nil })
	if a.tls, err = cfg.buildTLS(log); err != nil {
		return nil, err
	}
	a.httpURL = "http://" + a.listener.Addr().String()
	if a.tls != nil {
		a.httpURL = "https://" + a.listener.Addr().String()
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	release, err := lockFolder(cfg.Data)
	if err != nil {
		return nil, err
	}
	a.stop.add("data folder", release)

	db, err := statedb.Open(filepath.Join(cfg.Data, "state.db"))
	if err != nil {
		return nil, err
	}
	a.stop.add("state database", db.Close)
	if a.registry, err = devices.NewRegistry(ctx, db); err != nil {
		return nil, err
	}
	if a.audit, err = audit.Open(ctx, db); err != nil {
		return nil, err
	}
	places, err := areas.Open(ctx, db, a.audit)
	if err != nil {
		return nil, err
	}
	offices, err := agencies.Open(ctx, db, a.audit, places)
	if err != nil {
		return nil, err
	}
	hours, err := calendars.Open(ctx, db, a.audit)
	if err != nil {
		return nil, err
	}
	offices.KnowCalendars(func(id string) bool { _, err := hours.Get(id); return err == nil })
	a.registry.UsePlaces(places, offices)
	if err := a.openCredentials(ctx, db); err != nil {
		return nil, err
	}
	a.people, err = people.Open(ctx, db, a.audit, people.Options{Within: places.Within, Idle: time.Duration(cfg.People.SessionIdle), Longest: time.Duration(cfg.People.SessionLongest)})
	if err != nil {
		return nil, err
	}
	if err := a.someoneCanEnter(ctx); err != nil {
		return nil, err
	}
	if a.changes, err = changelog.Open(ctx, db); err != nil {
		return nil, err
	}
	if a.health, err = health.Open(ctx, db); err != nil {
		return nil, err
	}
	if err := a.buildCommands(ctx, db); err != nil {
		return nil, err
	}
	a.tracker.Expect, a.tracker.Spoke = a.expectation, a.commands.Heard
	photos, err := media.Open(filepath.Join(cfg.Data, "media"))
	if err != nil {
		return nil, err
	}
	reportService, err := reports.New(ctx, db, a.changes, photos, reports.Options{Agencies: offices, Areas: places, Prefix: "QB"})
	if err != nil {
		return nil, err
	}
	offices.KnowCategories(func(id string) bool {
		_, typed := a.registry.Type(devices.TypeID(id))
		return typed || reportService.HasCategory(id)
	})
	offices.InUse(agencies.Use{What: "reports", Count: reportService.CountOf})
	offices.InUse(agencies.Use{What: "kinds of report", Count: reportService.CategoriesOf})
	offices.InUse(agencies.Use{What: "devices", Count: a.registry.OfAgency})
	if a.alerts, err = alerts.NewStore(ctx, db, a.changes); err != nil {
		return nil, err
	}
	dispatchService, err := dispatch.New(ctx, db, a.changes)
	if err != nil {
		return nil, err
	}
	letters, err := deadletters.Open(ctx, filepath.Join(cfg.Data, "deadletters.db"))
	if err != nil {
		return nil, err
	}
	a.stop.add("dead letters", letters.Close)
	a.letters = letters
	if a.journal, err = journal.OpenWith(ctx, filepath.Join(cfg.Data, "journal"), journal.Options{Chained: isVessel(a.registry)}); err != nil {
		return nil, err
	}
	a.stop.add("journal", a.journal.Close)
	a.rollups, err = rollup.Open(ctx, filepath.Join(cfg.Data, "rollups.db"), rollup.Options{Journal: a.journal, Registry: a.registry, Metrics: a.prom, Log: log})
	if err != nil {
		return nil, err
	}
	a.stop.add("roll-ups", a.rollups.Close)
	a.history = rollup.History{History: a.journal, Rollups: a.rollups}
	if err := a.tracker.Load(a.snapshotPath()); err != nil {
		log.Warn("start without the snapshot of latest values; the journal is read instead", "error", err)
	}
	rs, err := loadRules(cfg.Rules)
	if err != nil {
		return nil, err
	}
	if a.engine, err = engine.New(ctx, engine.Options{Store: a.alerts, Rules: rs, Registry: a.registry, Seen: a.tracker, History: a.journal, Areas: places, Log: log, Cohort: cfg.Cohorts.options()}); err != nil {
		return nil, err
	}
	if err := a.buildInflux(ctx, db); err != nil {
		return nil, err
	}
	reportService.ForgetToo(dispatchService.ForgetReport)
	classes, err := openRetention(ctx, db, cfg, a.audit, a.registry, places, reportService, a.journal.Head() > 0, log)
	if err != nil {
		return nil, err
	}
	at, err := cfg.retentionAt()
	if err != nil {
		return nil, err
	}
	a.nightly = (&keeping{classes, a.registry, a.journal, a.rollups, letters, a.commands, reportService, dispatchService, photos, a.cursor, log}).job(at, a.prom, log)
	if a.sources, err = makeSources(cfg.Sources); err != nil {
		return nil, err
	}
	feeds, _ := a.sources.feeds()
	limits, err := ingest.ParseLimits(cfg.DeviceLimit)
	if err != nil {
		return nil, err
	}
	a.pipeline = ingest.NewPipeline(ingest.Options{Registry: a.registry, Journal: a.journal, DeadLetters: letters, Bounds: cfg.Times.bounds(),
		Feeds: feeds, Expect: a.sources.expected(), DeviceLimits: limits,
		RegisterUnknown: cfg.UnknownDevices == "register", Report: reportService.TakeMQTT, Connection: a.tracker.Connection, Heard: a.tracker.Heard, Answers: a.commands.Take, Version: version,
		Tell: func(d ingest.DeadLetter) {
			if a.source != nil {
				a.source.Tell(d)
			}
		}, Metrics: a.prom, Log: log})
	if err := a.pipeline.LoadSources(a.sourcesPath()); err != nil {
		log.Warn("start without knowing who spoke by which source", "error", err)
	}
	if err := a.buildSource(); err != nil {
		return nil, err
	}
	if a.runs, err = a.runners(); err != nil {
		return nil, err
	}
	proxies, err := cfg.proxies()
	if err != nil {
		return nil, err
	}
	var srv *web.Server
	a.hub = live.NewHub(live.Options{Registry: a.registry, Tracker: a.tracker, Log: a.changes, Logger: log,
		Snapshots: snapshots(a.alerts, reportService, dispatchService, a.commands),
		Stats:     func(ctx context.Context) (any, error) { return srv.Stats(ctx) }})
	a.registry.WatchAll(a.hub.Edited)
	srv = web.New(web.Options{Open: open, Tokens: cfg.Tokens, OIDC: cfg.OIDC, Proxies: proxies, Version: version, Health: a.health, Commands: a.commands, Audit: a.audit, People: a.people, Registry: a.registry, Credentials: a.credentials, Areas: places, Agencies: offices, Calendars: hours, Tracker: a.tracker, History: a.history, Events: a.journal, Rollups: a.rollups,
		Retention: classes, Nightly: a.nightly,
		Pipeline: a.pipeline, Format: a.sources.Format, DeadLetters: letters, Reports: reportService, Media: photos, Alerts: a.alerts, Dispatch: dispatchService,
		Hub: a.hub, Ready: a.ready, Warnings: a.warnings, SourceProblems: a.sourceProblems, Influx: a.influxStatus(), Pages: ui.Dist(), Metrics: a.prom, Counters: a.prom, Limits: cfg.Limits.limits(func(string, ...any) {}), Log: log})
	a.stop.add("imports of devices", srv.Close)
	a.observe()
	a.prom.MustRegister(&fleet{app: a, states: srv.HealthCounts})
	a.server = &http.Server{Handler: srv, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	if a.tls != nil {
		a.server.TLSConfig = cfg.forHTTP(a.tls)
	}
	return a, nil
}

func (a *app) snapshotPath() string { return filepath.Join(a.cfg.Data, "latest.gob") }

func loadRules(path string) ([]rules.Rule, error) {
	if path == "" {
		return rules.Default()
	}
	return rules.Load(path)
}

// buildSource starts the embedded broker, unless an outside one is named.
func (a *app) buildSource() (err error) {
	feeds, filters := a.sources.feeds()
	o := mqtt.Options{URL: a.cfg.Broker.URL, ClientID: a.cfg.Broker.ClientID, Username: a.cfg.Broker.Username, Password: a.cfg.Broker.Password, Log: a.log}
	a.mqttURL = o.URL
	if o.URL == "" {
		secure, err := a.cfg.forMQTT(a.tls)
		if err != nil {
			return err
		}
		a.broker, err = broker.Start(broker.Options{Listen: a.cfg.MQTT, Dir: filepath.Join(a.cfg.Data, "broker"), Open: a.open || a.cfg.Broker.Open,
			TLS: secure, Websocket: a.cfg.MQTTWebsocket, Gate: a.credentials, Provision: a.credentials, Submit: a.pipeline.Submit, Feeds: filters, Grants: a.sources.grants(), Log: a.log})
		if err != nil {
			return taken(err, "MQTT", a.cfg.MQTT, "--mqtt")
		}
		a.stop.add("broker", func() error { a.broker.Close(); return nil })
		a.credentials.Watch(a.broker.Recheck)
		o.URL, o.ClientID, o.Username, o.Password = a.broker.ServerURL(), broker.InternalUser, broker.InternalUser, a.broker.ServerPassword()
		a.mqttURL = "tcp://" + a.broker.Addr()
		if a.tls != nil {
			a.mqttURL = "ssl://" + a.broker.Addr()
		}
		a.source = mqtt.New(o, a.pipeline.Submit)
		return nil
	}
	a.keepMosquitto()
	// Each feed has a session of its own: however much its sender sends at
	// once, nobody else stands behind it.
	for _, f := range feeds {
		own := o
		own.ClientID, own.Filters = o.ClientID+"-"+f.Format.Name, []string{f.Filter}
		a.feeds = append(a.feeds, mqtt.New(own, a.pipeline.Submit))
	}
	o.Filters, o.Shared = mqtt.Filters, true
	a.source = mqtt.New(o, a.pipeline.Submit)
	return nil
}

// run lets everybody in and works until ctx ends; started is called once the
// program takes data.
func (a *app) run(ctx context.Context, started func()) error {
	// Readers outlive the sources, so that what was taken is also shown.
	inner, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	g, inner := errgroup.WithContext(inner)
	own := func(name string, fn func(context.Context) error) {
		g.Go(func() error {
			if err := fn(inner); err != nil && inner.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	own("pipeline", a.pipeline.Run)
	own("latest values", func(ctx context.Context) error { return a.tracker.Run(ctx, a.journal) })
	own("snapshot of latest values", a.keepSnapshot)
	own("who speaks by which source", a.keepSources)
	own("alert engine", func(ctx context.Context) error { return a.engine.Run(ctx, a.journal) })
	own("roll-ups", a.rollups.Run)
	own("live hub", a.hub.Run)
	own("how devices do", a.keepHealth)
	own("commands", a.commands.Run)
	for _, r := range a.runs {
		own(r.name, r.run)
	}
	own("live topics", a.feedLiveTopics)
	own("credentials", a.credentials.Run)
	if a.mosquitto != nil {
		own("mosquitto's files", a.mosquitto.Run)
	}
	own("housekeeping", a.keepHouse)
	own("retention", a.nightly.Run)
	own("head of the audit log", a.keepAuditHead)
	if a.influx != nil {
		own("InfluxDB writer", func(ctx context.Context) error { return a.influx.Run(ctx, a.journal) })
	}
	own("HTTP", func(context.Context) error {
		serve := func() error { return a.server.Serve(a.listener) }
		if a.tls != nil {
			serve = func() error { return a.server.ServeTLS(a.listener, "", "") }
		}
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	connected := make(chan error, 1)
	go func() { connected <- a.connect(ctx, inner) }()
	var err error
	select {
	case err = <-connected:
		if err == nil {
			started()
			select {
			case <-ctx.Done():
			case <-inner.Done():
			}
		}
	case <-ctx.Done(): // before what an earlier version's broker holds was taken
	case <-inner.Done():
	}
	if a.broker != nil {
		a.broker.Stop()
	}
	for _, s := range a.sessions() {
		s.Stop()
	}
	shut, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	end()
	a.server.Shutdown(shut)
	a.server.Close()
	return errors.Join(err, g.Wait(), a.stop.unwind())
}

// connect joins the broker and then lets devices in.
func (a *app) connect(ctx, inner context.Context) error {
	if a.broker == nil {
		// An outside broker may be away for long: we serve meanwhile.
		go a.join(inner)
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := a.source.Start(wait); err != nil {
		return err
	}
	if err := a.broker.Adopt(inner); err != nil {
		return err
	}
	if ctx.Err() == nil { // else we are ending, and let nobody in
		a.broker.Ready()
	}
	return nil
}

// sessions are all at the broker.
func (a *app) sessions() []*mqtt.Source {
	return append(slices.Clip(a.feeds), a.source)
}

// join subscribes at an outside broker. The feeds once came through the session
// that devices share; it leaves them when their own stand.
func (a *app) join(ctx context.Context) {
	var g errgroup.Group
	for _, s := range a.sessions() {
		g.Go(func() error { return s.Start(ctx) })
	}
	if err := g.Wait(); err != nil {
		if ctx.Err() == nil {
			a.log.Error("connect to the broker", "error", err)
		}
		return
	}
	if _, filters := a.sources.feeds(); len(filters) > 0 {
		a.source.Leave(filters...)
	}
}

// feedLiveTopics publishes every alert and work-order change for sirens, other
// systems and other nodes.
func (a *app) feedLiveTopics(ctx context.Context) error {
	var g errgroup.Group
	for _, channel := range []string{alerts.Channel, dispatch.Channel} {
		g.Go(func() error {
			sub := a.changes.Subscribe(channel)
			defer sub.Close()
			last, err := a.changes.Last(ctx, channel)
			if err != nil {
				return err
			}
			for {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-sub.C():
				}
				cs, err := a.changes.Since(ctx, channel, last, 10_000)
				if err != nil {
					return err
				}
				for _, c := range cs {
					a.source.Publish(ingest.TopicRoot+"live/"+channel, false, c.JSON)
					last = c.Seq
				}
			}
		})
	}
	return g.Wait()
}

// snapshots are what a screen starts with in each lossless channel.
func snapshots(as *alerts.Store, rs *reports.Service, ds *dispatch.Service, cs *commands.Service) map[string]func(context.Context) ([]json.RawMessage, error) {
	return map[string]func(context.Context) ([]json.RawMessage, error){
		alerts.Channel: func(ctx context.Context) ([]json.RawMessage, error) {
			items, _, err := as.List(ctx, alerts.Filter{Board: true, Since: time.Now().Add(-time.Hour)})
			return raw(items, err)
		},
		reports.Channel: func(ctx context.Context) ([]json.RawMessage, error) {
			items, _, err := rs.List(ctx, reports.Filter{Open: true, Since: time.Now().Add(-24 * time.Hour), Limit: 1000})
			return raw(items, err)
		},
		dispatch.Channel: func(ctx context.Context) ([]json.RawMessage, error) {
			items, _, err := ds.List(ctx, dispatch.Filter{Active: true, Since: time.Now().Add(-12 * time.Hour), Limit: 1000})
			return raw(items, err)
		},
		commands.Channel: func(ctx context.Context) ([]json.RawMessage, error) { return raw(cs.Open(ctx)) },
	}
}

func raw[T any](items []T, err error) ([]json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	out := make([]json.RawMessage, len(items))
	for i := range items {
		if out[i], err = json.Marshal(items[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// taken turns a port in use into a sentence that says what to do.
func taken(err error, what, addr, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s port %s is taken by another program (another haidang?); choose another with %s HOST:PORT, or %s 127.0.0.1:0 for any free one", what, addr, flag, flag)
	}
	return fmt.Errorf("listen for %s on %s: %w", what, addr, err)
}

// lockFolder keeps two programs from using one data folder.
func lockFolder(dir string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by another haidang; name another with --data", dir)
	}
	return f.Close, nil
}
