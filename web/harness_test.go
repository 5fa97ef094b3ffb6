package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/alerts"
	"haidang/alerts/dispatch"
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
	"haidang/ingest/deadletters"
	"haidang/ingest/journal"
	"haidang/ingest/latest"
	"haidang/ingest/media"
	"haidang/ingest/reports"
	"haidang/ingest/rollup"
	"haidang/web/live"
)

// house is a whole server with real stores behind it.
type house struct {
	t   *testing.T
	srv *Server
	url string
	log *bytes.Buffer
	// seen are the operations and statuses that were answered.
	seen   map[string]bool
	alerts *alerts.Store
	db     *sql.DB
}

// newHouse serves with a token for each role, named as the role; "crew-1" is
// the token of that crew.
func newHouse(t *testing.T, tune func(*Options)) *house {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	must(err)
	reg, err := devices.NewRegistry(ctx, db)
	must(err)
	trail, err := audit.Open(ctx, db)
	must(err)
	places, err := areas.Open(ctx, db, trail)
	must(err)
	offices, err := agencies.Open(ctx, db, trail, places)
	must(err)
	hours, err := calendars.Open(ctx, db, trail)
	must(err)
	offices.KnowCalendars(func(id string) bool { _, err := hours.Get(id); return err == nil })
	reg.UsePlaces(places, offices)
	creds, err := credentials.Open(ctx, db, credentials.Options{Registry: reg, Audit: trail, Authority: newAuthority(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	must(err)
	staff, err := people.Open(ctx, db, trail, people.Options{Within: places.Within})
	must(err)
	changes, err := changelog.Open(ctx, db)
	must(err)
	doing, err := health.Open(ctx, db)
	must(err)
	must(doing.Listen(ctx, time.Now().Add(-30*time.Second)))
	must(doing.Listen(ctx, time.Now()))
	photos, err := media.Open(filepath.Join(dir, "media"))
	must(err)
	rs, err := reports.New(ctx, db, changes, photos, reports.Options{Agencies: offices, Areas: places, Prefix: "QB"})
	must(err)
	offices.KnowCategories(func(id string) bool { _, typed := reg.Type(devices.TypeID(id)); return typed || rs.HasCategory(id) })
	offices.InUse(agencies.Use{What: "reports", Count: rs.CountOf})
	offices.InUse(agencies.Use{What: "kinds of report", Count: rs.CategoriesOf})
	offices.InUse(agencies.Use{What: "devices", Count: reg.OfAgency})
	as, err := alerts.NewStore(ctx, db, changes)
	must(err)
	ds, err := dispatch.New(ctx, db, changes)
	must(err)
	letters, err := deadletters.Open(ctx, filepath.Join(dir, "dead.db"))
	must(err)
	j, err := journal.Open(ctx, filepath.Join(dir, "journal"))
	must(err)
	prom := prometheus.NewRegistry()
	h := &house{t: t, log: &bytes.Buffer{}, seen: map[string]bool{}, alerts: as, db: db}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	tracker := latest.New()
	orders, err := commands.New(ctx, commands.Options{DB: db, Audit: trail, Changes: changes, Registry: reg, Log: log, Online: func(id devices.ID) bool { return tracker.Connection(id) == "online" },
		Publish: func(context.Context, string, bool, []byte) error { return nil }})
	must(err)
	figures, err := rollup.Open(ctx, filepath.Join(dir, "rollups.db"), rollup.Options{Journal: j, Registry: reg, Log: log})
	must(err)
	pipe := ingest.NewPipeline(ingest.Options{Registry: reg, Journal: j, DeadLetters: letters, Bounds: ingest.DefaultBounds(),
		Report: rs.TakeMQTT, Connection: tracker.Connection, Heard: tracker.Heard, Answers: orders.Take, Version: "test", Tell: func(ingest.DeadLetter) {}, Metrics: prom, Log: log})
	rs.ForgetToo(ds.ForgetReport)
	classes, err := retention.Open(ctx, db, trail, retention.Options{Within: places.Within, Report: rs.Code})
	must(err)
	nightly := retention.NewJob(retention.JobOptions{Store: classes, Log: log})
	o := Options{Version: "test", Retention: classes, Nightly: nightly, Health: doing, Commands: orders, Audit: trail, People: staff, Registry: reg, Credentials: creds, Areas: places, Agencies: offices, Calendars: hours, Tracker: tracker, History: j, Events: j, Rollups: figures, Pipeline: pipe, DeadLetters: letters, Reports: rs, Media: photos,
		Alerts: as, Dispatch: ds, Ready: func() error { return nil }, Metrics: prom, Counters: prom, Log: log, Pages: fstest.MapFS{}}
	for _, p := range []string{"home", "wall", "report", "track", "crew", "console", "account", "health"} {
		o.Pages.(fstest.MapFS)[p+".html"] = &fstest.MapFile{Data: []byte("<title>" + p + "</title>")}
	}
	o.Pages.(fstest.MapFS)["assets/wall-ABC.js"] = &fstest.MapFile{Data: []byte("1")}
	for _, r := range o.People.Roles() {
		o.Tokens = append(o.Tokens, token(r.ID, r.ID, ""))
	}
	o.Tokens = append(o.Tokens, token("crew-1", "crew", "crew-1"))
	if tune != nil {
		tune(&o)
	}
	o.Hub = live.NewHub(live.Options{Registry: reg, Tracker: tracker, Log: changes, Logger: log, Snapshots: h.snapshots(as, rs, ds, orders), Stats: func(ctx context.Context) (any, error) { return h.srv.Stats(ctx) }})
	reg.WatchAll(o.Hub.Edited)
	h.srv = New(o)
	ts := httptest.NewServer(h.srv)
	h.url = ts.URL
	var wg sync.WaitGroup
	wg.Go(func() { pipe.Run(ctx) })
	wg.Go(func() { tracker.Run(ctx, j) })
	wg.Go(func() { figures.Run(ctx) })
	wg.Go(func() { o.Hub.Run(ctx) })
	wg.Go(func() { orders.Run(ctx) })
	t.Cleanup(func() {
		ts.Close()
		cancel()
		wg.Wait()
		must(errors.Join(figures.Close(), j.Close(), letters.Close(), db.Close()))
	})
	return h
}

// snapshots are what a screen starts with, as in the program.
func (h *house) snapshots(as *alerts.Store, rs *reports.Service, ds *dispatch.Service, cs *commands.Service) map[string]func(context.Context) ([]json.RawMessage, error) {
	return map[string]func(context.Context) ([]json.RawMessage, error){
		alerts.Channel: func(ctx context.Context) ([]json.RawMessage, error) {
			items, _, err := as.List(ctx, alerts.Filter{State: alerts.Open})
			return raw(items, err)
		},
		reports.Channel: func(ctx context.Context) ([]json.RawMessage, error) {
			items, _, err := rs.List(ctx, reports.Filter{})
			return raw(items, err)
		},
		dispatch.Channel: func(ctx context.Context) ([]json.RawMessage, error) {
			items, _, err := ds.List(ctx, dispatch.Filter{})
			return raw(items, err)
		},
		commands.Channel: func(ctx context.Context) ([]json.RawMessage, error) { return raw(cs.Open(ctx)) },
	}
}

func raw[T any](items []T, err error) (out []json.RawMessage, _ error) {
	for _, it := range items {
		b, _ := json.Marshal(it)
		out = append(out, b)
	}
	return out, err
}

// account makes an account with grants, changes its first password and signs it
// in; it returns the session's cookie.
func (h *house) account(name string, grants ...people.Grant) (cookie string) {
	h.t.Helper()
	_, first, err := h.srv.People.Create(h.t.Context(), people.Account{Name: name, Grants: grants})
	if err == nil {
		err = h.srv.People.SetPassword(h.t.Context(), name, first, goodPassword, "", "")
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return h.signIn(name, goodPassword)
}

const goodPassword = "bốn con chim sẻ trên mái"

func (h *house) signIn(name, password string) (cookie string) {
	h.t.Helper()
	res := h.call("", "POST", "/api/v1/session", fmt.Sprintf(`{"account":%q,"password":%q}`, name, password), nil)
	if res.StatusCode != 200 {
		h.t.Fatalf("%s signs in: %s", name, res.Status)
	}
	cookie, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
	return cookie
}

func token(name, role, crew string) Token {
	sum := sha256.Sum256([]byte(name))
	return Token{Name: name, Role: role, Crew: crew, SHA256: hex.EncodeToString(sum[:])}
}

// withFormats adds a decoder of lines "device metric number" under each name
// that has a path.
func withFormats(o *Options) {
	o.Format = func(name string) (*ingest.Format, bool) {
		return &ingest.Format{Name: name, Decoder: lines{}}, slices.Contains([]string{"plain", lineProtocol, osmAnd, indicators}, name)
	}
}

type lines struct{}

func (lines) Decode(in ingest.Input) (items []ingest.Item) {
	for l := range strings.Lines(string(in.Payload)) {
		var dev, metric string
		var x float64
		it := ingest.Item{Raw: []byte(l)}
		if _, err := fmt.Sscan(l, &dev, &metric, &x); err != nil {
			it.Refusal = &ingest.Refusal{Stage: ingest.StageDecode, Code: "line_invalid", Message: "a line is device, metric, number"}
		} else {
			it.Device, it.Reading = devices.ID(dev), &ingest.Reading{Seq: ingest.NoSeq, Values: []ingest.Value{{Metric: metric, Number: x}}}
		}
		items = append(items, it)
	}
	return items
}

// raiseAlert puts an alert with all that one can have, and returns its id.
func (h *house) raiseAlert() string {
	h.t.Helper()
	return h.raise(func(*alerts.Alert) {})
}

// raise does so with an alert as change makes it.
func (h *house) raise(change func(*alerts.Alert)) string {
	h.t.Helper()
	now, x := time.Now().UTC(), 17.5
	a := &alerts.Alert{ID: "a1", Rule: "r", RuleName: alerts.Name{VI: "Bụi", EN: "Dust"}, Kind: "threshold", Device: "qb-air-09", DeviceName: "Trạm", DeviceType: "air_station",
		Area: "dong-hoi", AreaVersion: "dong-hoi@2025-07-01", Severity: alerts.Major, State: alerts.Open, StartedAt: now, DetectedAt: now, Metric: "pm25", Value: &x, Threshold: &x, Summary: "Bụi", SummaryEN: "Dust", Lat: &x, Lon: &x}
	change(a)
	tx, err := h.alerts.Begin(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	defer tx.Rollback()
	if err := errors.Join(h.alerts.Put(h.t.Context(), tx, a), tx.Commit()); err != nil {
		h.t.Fatal(err)
	}
	h.alerts.Published()
	return a.ID
}

// sendPhoto sends a report with a photo as a form, and returns the photo's
// SHA-256.
func (h *house) sendPhoto() string {
	h.t.Helper()
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	for k, v := range map[string]string{"category": "khac", "description": "Ảnh", "address": "Đồng Hới"} {
		mw.WriteField(k, v)
	}
	part, err := mw.CreateFormFile("photos", "a.png")
	if err == nil {
		err = png.Encode(part, image.NewRGBA(image.Rect(0, 0, 4, 4)))
	}
	if err := errors.Join(err, mw.Close()); err != nil {
		h.t.Fatal(err)
	}
	var rep reports.Report
	if res := h.call("", "POST", "/api/v1/reports", form.String(), &rep, "Content-Type", mw.FormDataContentType()); res.StatusCode != 201 {
		h.t.Fatalf("report with a photo: %d", res.StatusCode)
	}
	return rep.Photos[0].SHA256
}

func (h *house) eventually(what string, is func() bool) {
	h.t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("never: %s", what)
		}
	}
}

// text is what a viewer reads at path, which is there.
func (h *house) text(path string) string {
	h.t.Helper()
	rec := httptest.NewRecorder()
	rq := httptest.NewRequest("GET", path, nil)
	rq.Header.Set("Authorization", "Bearer viewer")
	h.srv.ServeHTTP(rec, rq)
	if rec.Code != 200 {
		h.t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	h.judge(rq, "", rec.Result(), rec.Body.Bytes())
	return rec.Body.String()
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// call sends as the holder of the token as ("": nobody) and decodes into into.
func (h *house) call(as, method, path, body string, into any, heads ...string) *http.Response {
	h.t.Helper()
	rq, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if as != "" {
		rq.Header.Set("Authorization", "Bearer "+as)
	}
	for i := 0; i < len(heads); i += 2 {
		if heads[i] == "Host" {
			rq.Host = heads[i+1]
		}
		rq.Header.Set(heads[i], heads[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(rq)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	h.judge(rq, body, res, b)
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			h.t.Fatalf("%s %s: %d %s: %v", method, path, res.StatusCode, b, err)
		}
	}
	return res
}
