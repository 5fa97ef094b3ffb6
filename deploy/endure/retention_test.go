package endure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/retention"
	"haidang/ingest"
	"haidang/ingest/journal"
)

const (
	stations, vessels = 200, 20
	oldDays, newDays  = 14, 3
)

// A night's run that is killed at any moment, again and again, goes on as itself:
// what is old is gone, what is not is there, and the vessel tracks hold.
func TestNightlyRunSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a minute to begin")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	oldReadings, oldTracks := fillJournal(t, filepath.Join(data, "journal"))
	log, err := os.Create(filepath.Join(dir, "haidang.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	httpAddr, token := freeAddress(t), sha256.Sum256([]byte("x"))
	configure := func(at time.Time) string {
		return writeFile(t, filepath.Join(dir, "haidang.toml"), "data = %q\nhttp = %q\nmqtt = %q\nretention_days = 90\nretention_at = %q\n[limits]\nreads = \"\"\n[broker]\nopen = true\n[[tokens]]\nname = \"a\"\nrole = \"auditor\"\nsha256 = %q\n",
			data, httpAddr, freeAddress(t), at.In(retention.Zone).Format("15:04"), hex.EncodeToString(token[:]))
	}
	p := &program{t: t, binary: build(t, dir), config: configure(time.Now().Add(12 * time.Hour)), url: "http://" + httpAddr, log: log}
	p.start()
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	p.ready(30 * time.Second)
	var plan retention.Run
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // the figures by hour are made first
		plan = retention.Run{}
		p.call("GET", "/api/v1/retention/plan", "", &plan)
		if would(&plan, retention.Readings) == oldReadings && would(&plan, retention.VesselTracks) == oldTracks && note(&plan) == "" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it would remove %+v", plan)
		}
	}
	p.end(syscall.SIGTERM)

	p.config = configure(time.Now().Add(15 * time.Second).Truncate(time.Minute).Add(time.Minute))
	p.start()
	p.ready(30 * time.Second)
	run := func() (r retention.Run) {
		var list struct{ Items []retention.Run }
		p.call("GET", "/api/v1/retention/runs", "", &list)
		if len(list.Items) > 0 {
			r = list.Items[0]
		}
		return r
	}
	for end := time.Now().Add(2 * time.Minute); run().ID == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the night does not come")
		}
	}
	kills := 0
	for ; kills < 5 && run().EndedAt == nil; kills++ {
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		p.end(syscall.SIGKILL)
		p.start()
		p.ready(60 * time.Second)
	}
	if kills == 0 {
		t.Fatal("the run was over before it could be killed")
	}
	for end := time.Now().Add(2 * time.Minute); run().EndedAt == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not go on: %+v", run())
		}
	}
	r := run()
	if r.ID != 1 || r.State != retention.Done || r.Resumed == 0 || removed(&r, retention.Readings) > oldReadings || removed(&r, retention.VesselTracks) > oldTracks {
		t.Errorf("after %d kills: %+v", kills, r)
	}
	plan = retention.Run{}
	if p.call("GET", "/api/v1/retention/plan", "", &plan); would(&plan, retention.Readings)+would(&plan, retention.VesselTracks) != 0 {
		t.Errorf("it left %+v", plan)
	}
	p.end(syscall.SIGTERM)
	if out, err := exec.Command(p.binary, "verify", "--data", data).CombinedOutput(); err != nil || !strings.Contains(string(out), fmt.Sprintf("the vessel tracks hold: %d vessels", vessels)) {
		t.Errorf("verify: %s %v", out, err)
	}
	j, err := journal.Open(t.Context(), filepath.Join(data, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, id := range fleet() {
		rs, _, err := j.Readings(t.Context(), ingest.ReadingsQuery{Device: id, To: time.Now(), Limit: 1000})
		if err != nil || len(rs) != newDays {
			t.Fatalf("of %s are left %d, %v; want %d", id, len(rs), err, newDays)
		}
	}
	t.Logf("%d kills, went on %d times", kills, r.Resumed)
}

func fleet() (ids []devices.ID) {
	for i := range stations {
		ids = append(ids, devices.ID(fmt.Sprintf("station-%03d", i)))
	}
	for i := range vessels {
		ids = append(ids, devices.ID(fmt.Sprintf("vessel-%03d", i)))
	}
	return ids
}

func isVessel(id devices.ID) bool { return strings.HasPrefix(string(id), "vessel") }

// fillJournal makes a journal of stations and vessels: each with some days that
// are past their time, and some that are not.
func fillJournal(t *testing.T, dir string) (oldReadings, oldTracks int64) {
	t.Helper()
	j, err := journal.OpenWith(t.Context(), dir, journal.Options{Chained: isVessel})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	for _, id := range fleet() {
		var es []ingest.Entry
		say := func(at time.Time) {
			es = append(es, ingest.Entry{Reading: &ingest.Reading{Device: id, FixTime: at, ReceivedAt: at, Seq: int64(len(es)), Values: []ingest.Value{{Metric: "speed", Number: 5}}}})
		}
		past, old := now.AddDate(0, 0, -500), &oldReadings
		if isVessel(id) {
			past, old = now.AddDate(0, -40, 0), &oldTracks
		}
		for d := range oldDays {
			say(past.AddDate(0, 0, -d))
			*old++
		}
		for d := range newDays {
			say(now.AddDate(0, 0, -10-d))
		}
		if _, err := j.Append(t.Context(), es); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return oldReadings, oldTracks
}

func item(r *retention.Run, class string) retention.Item {
	for _, it := range r.Items {
		if it.Class == class {
			return it
		}
	}
	return retention.Item{}
}

func would(r *retention.Run, class string) int64 {
	n, _ := item(r, class).Would.Total()
	return n
}

func removed(r *retention.Run, class string) int64 {
	n, _ := item(r, class).Removed.Total()
	return n
}

func note(r *retention.Run) string { return item(r, retention.Readings).Note }
