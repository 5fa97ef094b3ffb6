package endure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/ingesttest"
	"haidang/ingest/journal"
)

var (
	length   = flag.Duration("for", 12*time.Second, "how long readings flow, at least")
	kills    = flag.Int("kills", 3, "how often haidang is killed")
	rate     = flag.Int("rate", 1000, "readings a second")
	devs     = flag.Int("devices", 10, "publishers")
	away     = flag.Duration("influx-away", 3*time.Second, "how long InfluxDB is away; 0 leaves it out")
	full     = flag.Duration("disk-full", 0, "how long the disk is full; needs the right to mount a tmpfs")
	restarts = flag.Int("broker-restarts", 1, "how often mosquitto is restarted; outside broker only")
	seed     = flag.Uint64("seed", 1, "of the moments")
)

func TestNothingAcknowledgedIsLostOrDoubled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Run("mosquitto", func(t *testing.T) { endure(t, false) })
	t.Run("embedded broker", func(t *testing.T) { endure(t, true) })
}

func endure(t *testing.T, embedded bool) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if *full > 0 {
		ingesttest.SmallDisk(t, data, "2g")
	}
	log, err := os.Create(filepath.Join(dir, "haidang.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	db := ingesttest.StartInflux(t)
	mqttAddr := freeAddress(t)
	httpAddr := freeAddress(t)
	token := sha256.Sum256([]byte("x"))
	brokerLine := "open = true"
	var mosquitto *ingesttest.Mosquitto
	brokerURL := "tcp://" + mqttAddr
	if !embedded {
		mosquitto = ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{})
		brokerURL = mosquitto.URL
		brokerLine = fmt.Sprintf("url = %q", mosquitto.URL)
	}
	config := writeFile(t, filepath.Join(dir, "haidang.toml"), "data = %q\nhttp = %q\nmqtt = %q\nunknown_devices = \"register\"\n[limits]\nreads = \"\"\nwrites = \"\"\n[broker]\n%s\n[influxdb]\nurl = %q\nbucket = %q\n[[tokens]]\nname = \"a\"\nrole = \"admin\"\nsha256 = %q\n",
		data, httpAddr, mqttAddr, brokerLine, db.URL, db.Bucket, hex.EncodeToString(token[:]))
	p := &program{t: t, binary: build(t, dir), config: config, url: "http://" + httpAddr, log: log}
	p.start()
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	p.ready(30 * time.Second)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var ps []*publisher
	var flow sync.WaitGroup
	for n := range *devs {
		pub := connect(t, brokerURL, n, *rate / *devs)
		ps = append(ps, pub)
		flow.Go(func() { pub.run(ctx, *rate / *devs) })
	}
	var trouble sync.WaitGroup
	if *away > 0 {
		trouble.Go(func() { influxAway(ctx, t, db) })
	}
	if *full > 0 {
		trouble.Go(func() { fillDisk(ctx, t, data) })
	}
	slowest := cause(p, mosquitto)
	stop()
	trouble.Wait()
	flow.Wait()
	p.ready(60 * time.Second)
	for _, pub := range ps {
		pub.client.Disconnect(100)
	}
	count(t, p, data, ps, db)
	t.Logf("slowest restart until ready: %s", slowest)
}

// cause kills and restarts at random moments, until all happened and readings
// have flown for long enough.
func cause(p *program, m *ingesttest.Mosquitto) (slowest time.Duration) {
	end := time.After(*length)
	rnd := rand.New(rand.NewPCG(*seed, 2))
	events := *kills
	if m != nil {
		events += *restarts
	}
	mean := *length / time.Duration(events+1)
	for i := range events {
		time.Sleep(time.Duration((0.5 + rnd.Float64()) * float64(mean)))
		if m != nil && i%(events / *restarts) == (events / *restarts)/2 {
			m.Stop()
			m.Start()
			continue
		}
		p.end(syscall.SIGKILL)
		p.start()
		slowest = max(slowest, p.ready(60*time.Second))
	}
	<-end
	return slowest
}

func influxAway(ctx context.Context, t *testing.T, db *ingesttest.Influx) {
	select {
	case <-time.After(*length / 5):
	case <-ctx.Done():
		return
	}
	db.Kill()
	select {
	case <-time.After(*away):
		db.Start()
	case <-t.Context().Done(): // the test failed meanwhile
	}
}

// count compares what was acknowledged with what is there, by number. What is
// missing may only not have come yet: a program started anew is given it, and it
// is counted once more, to tell what stands still from what is lost.
func count(t *testing.T, p *program, data string, ps []*publisher, db *ingesttest.Influx) {
	waitForInflux(t, ps, db)
	said := p.figures("haidang_ingest_")
	p.end(syscall.SIGTERM)
	lost, double := tally(t, data, ps, db)
	if lost == 0 && double == 0 {
		return
	}
	t.Errorf("%d acknowledged readings are missing, %d are there twice; before the end the program said\n%s", lost, double, said)
	p.start()
	p.ready(60 * time.Second)
	waitForInflux(t, ps, db)
	p.end(syscall.SIGTERM)
	lost, _ = tally(t, data, ps, db)
	t.Logf("after one more start %d are missing", lost)
}

// tally counts in the journal, and holds InfluxDB to it.
func tally(t *testing.T, data string, ps []*publisher, db *ingesttest.Influx) (lost, double int64) {
	j, err := journal.Open(t.Context(), filepath.Join(data, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var sent, acked, kept int64
	for _, pub := range ps {
		seen := map[int64]int{}
		q := ingest.ReadingsQuery{Device: devices.ID(pub.id), From: pub.epoch, To: pub.epoch.Add(1000 * time.Hour), Limit: 10_000}
		for {
			rs, next, err := j.Readings(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rs {
				seen[r.Seq]++
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
		missing := gaps(pub, seen)
		for _, g := range missing {
			lost += g.to - g.from + 1
		}
		if len(missing) > 0 {
			t.Logf("%s: of %d sent, %d acknowledged, these are missing: %v", pub.id, pub.sent, len(pub.ack), missing)
		}
		for _, times := range seen {
			if times > 1 {
				double++
			}
		}
		sent, acked, kept = sent+pub.sent, acked+int64(len(pub.ack)), kept+int64(len(seen))
		if n := influxCount(t, db, pub.id); n != int64(len(seen)) {
			t.Errorf("%s: %d readings in the journal, %d in InfluxDB", pub.id, len(seen), n)
		}
	}
	t.Logf("sent %d, acknowledged %d, kept %d, lost %d, double %d", sent, acked, kept, lost, double)
	if acked == 0 {
		t.Error("nothing was acknowledged")
	}
	return lost, double
}

// gap is numbers from one to another, both missing.
type gap struct{ from, to int64 }

// gaps are what a publisher's broker acknowledged and nobody kept.
func gaps(pub *publisher, seen map[int64]int) (gs []gap) {
	for n := range pub.sent {
		if _, acked := pub.ack[n]; !acked || seen[n] > 0 {
			continue
		}
		if last := len(gs) - 1; last >= 0 && gs[last].to == n-1 {
			gs[last].to = n
		} else {
			gs = append(gs, gap{n, n})
		}
	}
	return gs
}

// waitForInflux waits until the writer has caught up: the count rests.
func waitForInflux(t *testing.T, ps []*publisher, db *ingesttest.Influx) {
	var acked int64
	for _, pub := range ps {
		acked += pub.acked.Load()
	}
	last, since := int64(-1), time.Now()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		n := influxCount(t, db, "")
		if n != last {
			last, since = n, time.Now()
		}
		if n >= acked && time.Since(since) > 3*time.Second || time.Since(since) > 40*time.Second {
			return
		}
	}
}

func influxCount(t *testing.T, db *ingesttest.Influx, device string) int64 {
	q := "SELECT count(n) FROM generic"
	if device != "" {
		q += fmt.Sprintf(" WHERE device = '%s'", device)
	}
	var answer struct {
		Results []struct{ Series []struct{ Values [][]any } }
	}
	if err := json.Unmarshal([]byte(db.Exec(q)), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Results) == 0 || len(answer.Results[0].Series) == 0 {
		return 0
	}
	n, _ := answer.Results[0].Series[0].Values[0][1].(float64)
	return int64(n)
}

func fillDisk(ctx context.Context, t *testing.T, dir string) {
	select {
	case <-time.After(*length / 2):
	case <-ctx.Done():
		return
	}
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Errorf("fill the disk: %v", err)
		return
	}
	block := make([]byte, 1<<20)
	for end := time.Now().Add(*full); time.Now().Before(end) && ctx.Err() == nil; {
		if _, err := f.Write(block); err != nil {
			block = block[:max(1, len(block)/2)]
			time.Sleep(10 * time.Millisecond)
		}
	}
	f.Close()
	os.Remove(path)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
