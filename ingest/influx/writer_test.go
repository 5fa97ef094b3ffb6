package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
	"haidang/devices/statedb/statedbtest"
	"haidang/ingest"
	"haidang/ingest/journal"
)

var t0 = time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)

type registry struct{}

func (registry) Get(id devices.ID) (*devices.Device, bool) {
	return &devices.Device{ID: id, Type: "air_station", Area: "dong-hoi"}, true
}

// influxd runs a real InfluxDB 1.8 on addr, and returns how to stop it.
func influxd(t *testing.T, dir, addr string) (stop func()) {
	t.Helper()
	bin := os.Getenv("HAIDANG_INFLUXD")
	if bin == "" {
		bin, _ = filepath.Abs("../../.tools/influxd")
	}
	if _, err := os.Stat(bin); err != nil {
		if os.Getenv("HAIDANG_REQUIRE_SERVICES") == "1" {
			t.Fatalf("influxd is missing at %s; make setup builds it", bin)
		}
		t.Skip("influxd is missing; make setup builds it")
	}
	conf := filepath.Join(dir, "influx.conf")
	text := fmt.Sprintf("reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\n dir = %q\n[data]\n dir = %q\n wal-dir = %q\n[http]\n bind-address = %q\n flux-enabled = true\n log-enabled = false\n[logging]\n level = \"error\"\n",
		dir+"/meta", dir+"/data", dir+"/wal", addr)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-config", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(stop)
	for range 1200 { // a minute, on a machine that has other work
		if res, err := http.Get("http://" + addr + "/ping"); err == nil {
			res.Body.Close()
			if _, err := http.PostForm("http://"+addr+"/query", url.Values{"q": {"CREATE DATABASE ioc"}}); err == nil {
				return stop
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("influxd did not start")
	return nil
}

// influxQL asks over plain HTTP and returns the only number of the answer.
func influxQL(t *testing.T, addr, q string) float64 {
	t.Helper()
	res, err := http.Get("http://" + addr + "/query?" + url.Values{"db": {"ioc"}, "q": {q}}.Encode())
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	var b struct {
		Results []struct {
			Series []struct{ Values [][]any }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&b); err != nil || len(b.Results) == 0 || len(b.Results[0].Series) == 0 {
		return -1
	}
	x, _ := b.Results[0].Series[0].Values[0][1].(float64)
	return x
}

func TestEveryReadingReachesInfluxDBOnceAcrossAnOutage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir := l.Addr().String(), t.TempDir()
	l.Close()
	stop := influxd(t, dir, addr)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j, err := journal.Open(ctx, filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cursor, err := NewCursor(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	var w *Writer
	run := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		w = NewWriter(Config{URL: "http://" + addr, Bucket: "ioc/autogen"}, registry{}, cursor, nil, slog.New(slog.DiscardHandler))
		go func() { done <- w.Run(ctx, j) }()
		return done
	}
	seq := 0
	feed := func(n int) {
		var es []ingest.Entry
		for range n {
			seq++
			es = append(es, ingest.Entry{Reading: &ingest.Reading{Device: "a", FixTime: t0.Add(time.Duration(seq) * time.Millisecond), ReceivedAt: t0, Seq: int64(seq),
				Values: []ingest.Value{{Metric: "pm25", Number: float64(seq % 100)}, {Metric: "o3", Number: 5, Quality: ingest.Calibrating}}}})
		}
		if _, err := j.Append(ctx, es); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(want float64) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if influxQL(t, addr, `SELECT count(pm25) FROM air_station WHERE device='a' AND area='dong-hoi'`) == want {
				return
			}
		}
		t.Fatalf("InfluxDB never held %v points", want)
	}
	until := func(what string, is func(Status) bool) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); !is(w.Status()); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it never said %s: %+v", what, w.Status())
			}
		}
	}
	writer, stopWriter := context.WithCancel(ctx)
	done := run(writer)
	feed(2000)
	wait(2000)
	until("that all is written", func(s Status) bool {
		return s.Lag == 0 && !s.LastSuccess.IsZero() && s.OutageSince.IsZero() && strings.Contains(s.String(), "0 entries wait")
	})
	stop()
	feed(3000) // while it is away
	until("that InfluxDB is away", func(s Status) bool {
		return s.Lag == 3000 && !s.OutageSince.IsZero() && s.Cause != "" && strings.Contains(s.String(), "takes nothing since")
	})
	influxd(t, dir, addr)
	wait(5000)
	until("that the outage is over", func(s Status) bool { return s.Lag == 0 && s.OutageSince.IsZero() && s.Cause == "" })
	if n := influxQL(t, addr, `SELECT count(o3) FROM air_station`); n != -1 {
		t.Errorf("%v values that are not good were written as values", n)
	}
	stopWriter()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the writer ended with %v", err)
	}
	// From the start again: nothing is added.
	if err := cursor.Save(ctx, 0); err != nil {
		t.Fatal(err)
	}
	// One point that InfluxDB cannot take does not cost the others.
	if res, err := http.Post("http://"+addr+"/write?db=ioc", "text/plain", nil); err == nil {
		res.Body.Close()
	}
	run(ctx)
	feed(10)
	wait(5010)
}

// An InfluxDB that is named later, when the journal's log no longer reaches
// back, gets everything from its shelves, and then what comes.
func TestNewInfluxDBIsFilledFromTheShelves(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir := l.Addr().String(), t.TempDir()
	l.Close()
	influxd(t, dir, addr)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j, err := journal.Open(ctx, filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	feed := func(from, n int) {
		t.Helper()
		var es []ingest.Entry
		for seq := from; seq < from+n; seq++ { // a minute each: 9,000 are a week
			es = append(es, ingest.Entry{Reading: &ingest.Reading{Device: devices.ID(fmt.Sprint("dev-", seq%3)), FixTime: t0.Add(time.Duration(seq-9000) * time.Minute), ReceivedAt: t0, Seq: int64(seq),
				Values: []ingest.Value{{Metric: "pm25", Number: float64(seq % 100)}}}})
		}
		if _, err := j.Append(ctx, es); err != nil {
			t.Fatal(err)
		}
	}
	feed(0, 5000)
	if err := j.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	feed(5000, 3000)
	if err := errors.Join(j.Settle(ctx), j.Cut(ctx), j.Close()); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(ctx, filepath.Join(dir, "journal")); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	feed(8000, 10)
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cursor, err := NewCursor(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	count := func() float64 { return influxQL(t, addr, `SELECT count(pm25) FROM air_station`) }
	reach := func(want float64) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); count() != want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("InfluxDB holds %v points, want %v", count(), want)
			}
		}
	}
	run := func() (stop func()) {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			NewWriter(Config{URL: "http://" + addr, Bucket: "ioc"}, registry{}, cursor, nil, slog.New(slog.DiscardHandler)).Run(ctx, j)
		}()
		return func() { cancel(); <-done }
	}
	stop := run()
	reach(8010)
	feed(8010, 10)
	reach(8020)
	stop()
	if at, err := cursor.LoadShelf(ctx); err != nil || at != (ingest.ShelfPlace{}) {
		t.Errorf("the shelves are still being read, from %+v: %v", at, err)
	}
	// Broken off in the middle, it goes on there.
	if err := errors.Join(cursor.Save(ctx, 0), cursor.SaveShelf(ctx, ingest.ShelfPlace{Pos: 8000, Shelf: t0.Truncate(7 * 24 * time.Hour), Run: 1})); err != nil {
		t.Fatal(err)
	}
	stop = run()
	feed(8020, 10)
	reach(8030)
	stop()
	if pos, err := cursor.Load(ctx); err != nil || pos != 8030 {
		t.Errorf("the writer's place is %d, %v", pos, err)
	}
}

// A full disk must not end the program: InfluxDB has the points already.
func TestPlaceIsNotedOnceTheDiskTakesIt(t *testing.T) {
	db := statedbtest.Open(t)
	cursor, err := NewCursor(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TRIGGER full BEFORE INSERT ON influx_cursor BEGIN SELECT raise(ABORT, 'database or disk is full'); END`); err != nil {
		t.Fatal(err)
	}
	w := &Writer{cursor: cursor, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	done := make(chan error, 1)
	go func() { done <- w.reached(t.Context(), 5) }()
	select {
	case err := <-done:
		t.Fatalf("on a full disk it says %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if _, err := db.Exec(`DROP TRIGGER full`); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if pos, _ := cursor.Load(t.Context()); err != nil || pos != 5 {
			t.Errorf("noted %d, %v", pos, err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was noted")
	}
}
