package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/alerts"
	"haidang/alerts/dispatch"
	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
	"haidang/ingest"
	"haidang/ingest/deadletters"
	"haidang/ingest/journal"
	"haidang/ingest/latest"
	"haidang/ingest/media"
	"haidang/ingest/reports"
	"haidang/web/live"
)

// house is a whole server with real stores behind it.
type house struct {
	t   *testing.T
	srv *Server
	url string
	log *bytes.Buffer
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
	changes, err := changelog.Open(ctx, db)
	must(err)
	photos, err := media.Open(filepath.Join(dir, "media"))
	must(err)
	rs, err := reports.New(ctx, db, changes, photos, reg.Agencies(), "QB")
	must(err)
	as, err := alerts.NewStore(ctx, db, changes)
	must(err)
	ds, err := dispatch.New(ctx, db, changes)
	must(err)
	letters, err := deadletters.Open(ctx, filepath.Join(dir, "dead.db"))
	must(err)
	j, err := journal.Open(ctx, filepath.Join(dir, "journal"))
	must(err)
	prom := prometheus.NewRegistry()
	h := &house{t: t, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	tracker := latest.New()
	pipe := ingest.NewPipeline(ingest.Options{Registry: reg, Journal: j, DeadLetters: letters, Bounds: ingest.DefaultBounds(),
		Report: rs.TakeMQTT, State: tracker.SetConnection, Tell: func(ingest.DeadLetter) {}, Metrics: prom, Log: log})
	o := Options{Version: "test", Registry: reg, Tracker: tracker, History: j, Pipeline: pipe, DeadLetters: letters, Reports: rs, Media: photos,
		Alerts: as, Dispatch: ds, Ready: func() error { return nil }, Metrics: prom, Log: log, Pages: fstest.MapFS{}}
	for _, p := range []string{"home", "wall", "report", "track", "crew", "console"} {
		o.Pages.(fstest.MapFS)[p+".html"] = &fstest.MapFile{Data: []byte("<title>" + p + "</title>")}
	}
	o.Pages.(fstest.MapFS)["assets/wall-ABC.js"] = &fstest.MapFile{Data: []byte("1")}
	for _, r := range readers {
		o.Tokens = append(o.Tokens, token(string(r), r, ""))
	}
	o.Tokens = append(o.Tokens, token("crew-1", CrewRole, "crew-1"))
	if tune != nil {
		tune(&o)
	}
	o.Hub = live.NewHub(live.Options{Registry: reg, Tracker: tracker, Log: changes, Logger: log, Stats: func(ctx context.Context) (any, error) { return h.srv.Stats(ctx) }})
	h.srv = New(o)
	ts := httptest.NewServer(h.srv)
	h.url = ts.URL
	var wg sync.WaitGroup
	wg.Go(func() { pipe.Run(ctx) })
	wg.Go(func() { tracker.Run(ctx, j) })
	wg.Go(func() { o.Hub.Run(ctx) })
	t.Cleanup(func() {
		ts.Close()
		cancel()
		wg.Wait()
		must(errors.Join(j.Close(), letters.Close(), db.Close()))
	})
	return h
}

func token(name string, role Role, crew string) Token {
	sum := sha256.Sum256([]byte(name))
	return Token{Name: name, Role: role, Crew: crew, SHA256: hex.EncodeToString(sum[:])}
}

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
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			h.t.Fatalf("%s %s: %d %s: %v", method, path, res.StatusCode, b, err)
		}
	}
	return res
}
