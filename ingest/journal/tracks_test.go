package journal

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

func verifyTracks(t *testing.T, dir string, noted []TrackHead) (faults []string, sum TracksChecked) {
	t.Helper()
	sum, err := VerifyTracks(t.Context(), dir, noted, func(f Fault) { faults = append(faults, f.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return faults, sum
}

// sail makes a fleet's journal: two vessels, ten days, a block each day, and
// late data that makes an eleventh.
func sail(t *testing.T, dir string) *Journal {
	t.Helper()
	j := open(t, dir)
	for i := range int64(10) {
		at := t0.Add(time.Duration(i) * aDay)
		appendAll(t, j, reading("Tàu-1", at, i, 1), reading("Tàu-2", at, i, 2), reading("a", at, i, 3))
		settle(t, j)
	}
	appendAll(t, j, reading("Tàu-1", t0.Add(time.Hour), 100, 1), reading("a", t0.Add(time.Hour), 100, 1))
	settle(t, j)
	if err := j.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

// Late data is a block of its own; joining leaves vessels' blocks, and joins the
// others'; what is asked for is as without chains.
func TestVesselTracksAreChainedAndNeverJoined(t *testing.T) {
	dir := t.TempDir()
	j := sail(t, dir)
	if err := j.Join(t.Context(), t0.Add(20*aDay)); err != nil {
		t.Fatal(err)
	}
	faults, sum := verifyTracks(t, dir, j.TrackHeads())
	if len(faults) > 0 || sum.Vessels != 2 || sum.Blocks != 21 || sum.Unsealed != 0 {
		t.Fatalf("%v, %+v", faults, sum)
	}
	if rs := readingsOf(t, j, "Tàu-1"); len(rs) != 11 || rs[1].Seq != 100 {
		t.Errorf("the track: %+v", rs)
	}
	var runs int
	s, _ := j.shelf(t.Context(), periodStart(t0), false)
	if err := s.db.QueryRow(`SELECT count(*) FROM run WHERE device=? AND first/?=?`, s.devices.key("a"), day, dayOf(t0.UnixMilli())).Scan(&runs); err != nil || runs != 1 {
		t.Errorf("the day of what is no vessel is %d runs, %v", runs, err)
	}
	heads := j.TrackHeads()
	j = reopen(t, j, dir)
	appendAll(t, j, reading("Tàu-1", t0.Add(11*aDay), 11, 1))
	settle(t, j)
	if faults, sum := verifyTracks(t, dir, heads); len(faults) > 0 || sum.Blocks != 22 {
		t.Errorf("after a kill: %v, %+v", faults, sum)
	}
}

// Whoever touches a track with SQL in their hands is found, by vessel, day and
// block.
func TestVerifyNamesTheBlockThatWasTouched(t *testing.T) {
	day3 := t0.Add(3 * aDay)
	const one = `(SELECT key FROM device WHERE id='Tàu-1')`
	block4 := `(SELECT run FROM link WHERE no=4 AND device=` + one + `)`
	shelfOf := func(at time.Time) string { return periodStart(at).Format(time.DateOnly) + ".db" }
	named := "vessel Tàu-1: block 4 of " + day3.Format(time.DateOnly) + " was "
	for name, c := range map[string]struct {
		file string
		sql  []string
		want []string
	}{
		"a byte":              {shelfOf(day3), []string{`UPDATE run SET body=CAST(substr(body,1,length(body)-1)||x'00' AS BLOB) WHERE id=` + block4}, []string{named + "changed"}},
		"its time":            {shelfOf(day3), []string{`UPDATE run SET last=last+1 WHERE id=` + block4}, []string{named + "changed"}},
		"its hash":            {shelfOf(day3), []string{`UPDATE link SET hash=zeroblob(32) WHERE run=` + block4}, []string{named + "changed", "block 5 "}},
		"removed":             {shelfOf(day3), []string{`DELETE FROM run WHERE id=` + block4}, []string{named + "removed"}},
		"removed with link":   {shelfOf(day3), []string{`DELETE FROM run WHERE id=` + block4, `DELETE FROM link WHERE device=` + one + ` AND no=4`}, []string{"vessel Tàu-1: block 4 of an unknown day was removed"}},
		"the last":            {shelfOf(t0), []string{`DELETE FROM run WHERE id=(SELECT run FROM link WHERE no=11)`, `DELETE FROM link WHERE no=11`}, []string{"vessel Tàu-1: block 11 of an unknown day was removed"}},
		"inserted":            {shelfOf(day3), []string{`INSERT INTO run(device,kind,first,last,n,body) SELECT device,kind,first+1,last+1,n,body FROM run WHERE id=` + block4}, []string{"vessel Tàu-1: a block of " + day3.Format(time.DateOnly) + " was inserted"}},
		"inserted with link":  {shelfOf(day3), []string{`INSERT INTO run(id,device,kind,first,last,n,body) SELECT 9999,device,kind,first+1,last+1,n,body FROM run WHERE id=` + block4, `INSERT INTO link SELECT 9999,device,12,day,hash FROM link WHERE run=` + block4}, []string{"vessel Tàu-1: block 12 of " + day3.Format(time.DateOnly) + " was inserted"}},
		"given to another":    {shelfOf(day3), []string{`UPDATE run SET device=(SELECT key FROM device WHERE id='a') WHERE id=` + block4}, []string{named + "removed"}},
		"a metric renamed":    {shelfOf(day3), []string{`UPDATE metric SET name='pm10' WHERE name='pm25'`}, []string{named + "changed", "vessel Tàu-2: block 4 "}},
		"the head":            {"chain.db", []string{`UPDATE head SET no=10 WHERE device='Tàu-1'`}, []string{"vessel Tàu-1: block 11 "}},
		"the chain forgotten": {"chain.db", []string{`DELETE FROM head WHERE device='Tàu-1'`}, []string{"vessel Tàu-1: block 11 of an unknown day was removed"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := sail(t, dir)
			noted := j.TrackHeads()
			j.Close()
			touch(t, filepath.Join(dir, c.file), c.sql...)
			faults, _ := verifyTracks(t, dir, noted)
			all := strings.Join(faults, "\n")
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("not found: %q in:\n%s", want, all)
				}
			}
			if name != "a metric renamed" && (strings.Contains(all, "block 3 ") || strings.Contains(all, "block 6 ")) {
				t.Errorf("others are accused:\n%s", all)
			}
		})
	}
}

func touch(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range statements {
		if res, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		} else if n, _ := res.RowsAffected(); n == 0 {
			t.Fatalf("%s: nothing", q)
		}
	}
}

// Who can write everything in the folder can make a chain that holds; the head
// that was noted elsewhere tells.
func TestRewrittenChainIsFoundByTheNotedHead(t *testing.T) {
	dir, forged := t.TempDir(), t.TempDir()
	noted := func() []TrackHead { j := sail(t, dir); defer j.Close(); return j.TrackHeads() }()
	j := open(t, forged)
	for i := range int64(12) { // the other vessel is as it was
		appendAll(t, j, reading("Tàu-1", t0.Add(time.Duration(i)*aDay), i, 5), reading("Tàu-2", t0.Add(time.Duration(i)*aDay), i, 2))
		settle(t, j)
	}
	if faults, _ := verifyTracks(t, forged, nil); len(faults) > 0 {
		t.Fatalf("the forgery does not hold by itself: %v", faults)
	}
	if faults, _ := verifyTracks(t, forged, noted); len(faults) != 1 || !strings.Contains(faults[0], "Tàu-1: block 11") {
		t.Errorf("%v", faults)
	}
	for _, h := range noted {
		if has, err := j.HasBlock(t.Context(), h); err != nil || has != (h.Device == "Tàu-2") {
			t.Errorf("block %d of %s is there: %v, %v", h.No, h.Device, has, err)
		}
	}
}

// Wherever a kill falls between the commits of a shelf and of the chain, the
// chain goes on as one.
func TestChainSurvivesAKillAtEachCommit(t *testing.T) {
	for name, back := range map[string]string{
		"before the shelf's": `DELETE FROM link WHERE no=11; DELETE FROM run WHERE device=(SELECT key FROM device WHERE id='Tàu-1') AND id NOT IN (SELECT run FROM link)`,
		"after the shelf's":  ``,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := sail(t, dir)
			// Block 11 is pending, the head is block 10.
			var ten []byte
			s, err := j.shelf(t.Context(), periodStart(t0.Add(9*aDay)), false)
			if err == nil {
				err = s.db.QueryRow(`SELECT hash FROM link WHERE no=10 AND device=?`, s.devices.key("Tàu-1")).Scan(&ten)
			}
			if err != nil {
				t.Fatal(err)
			}
			head := j.chain.head("Tàu-1")
			if err := j.chain.pend(t.Context(), periodStart(t0).Unix(), map[string]Link{"Tàu-1": head}); err != nil {
				t.Fatal(err)
			}
			if _, err := j.chain.db.Exec(`UPDATE head SET no=10, hash=? WHERE device='Tàu-1'`, ten); err != nil {
				t.Fatal(err)
			}
			j.Close()
			if back != "" {
				touch(t, filepath.Join(dir, periodStart(t0).Format(time.DateOnly)+".db"), strings.Split(back, ";")...)
			}
			j = open(t, dir)
			appendAll(t, j, reading("Tàu-1", t0.Add(12*aDay), 12, 1))
			settle(t, j)
			if faults, sum := verifyTracks(t, dir, nil); len(faults) > 0 || sum.Vessels != 2 {
				t.Errorf("%v, %+v", faults, sum)
			}
		})
	}
}

// Blocks past their retention leave a chain that holds, and late ones go before
// those that came earlier; a block that goes otherwise is still found.
func TestWhatExpiresLeavesAChainThatHolds(t *testing.T) {
	dir := t.TempDir()
	j := sail(t, dir)
	noted := j.TrackHeads()
	x := Expiry{Before: func(d devices.ID) time.Time {
		if isVessel(d) {
			return t0.Add(4 * aDay)
		}
		return time.Time{}
	}}
	if n := expire(t, j, x); n != 9 {
		t.Fatalf("%d went, want 9: four days of two, and what was late", n)
	}
	faults, sum := verifyTracks(t, dir, noted)
	if len(faults) > 0 || sum.Gone != 9 || sum.Blocks != 12 {
		t.Fatalf("%v, %+v", faults, sum)
	}
	var rows int
	if err := j.chain.db.QueryRow(`SELECT count(*) FROM gone`).Scan(&rows); err != nil || rows != 3 {
		t.Errorf("%d rows of what is gone, %v", rows, err)
	}
	j = reopen(t, j, dir)
	appendAll(t, j, reading("Tàu-1", t0.Add(12*aDay), 12, 1))
	settle(t, j)
	for _, h := range noted { // of one it is the newest, of the other gone past its time
		if has, err := j.HasBlock(t.Context(), h); err != nil || !has {
			t.Errorf("block %d of %s is not there, %v", h.No, h.Device, err)
		}
		h.Hash = []byte("another")
		if has, err := j.HasBlock(t.Context(), h); err != nil || has {
			t.Errorf("another block %d of %s is there, %v", h.No, h.Device, err)
		}
	}
	j.Close()
	touch(t, filepath.Join(dir, periodStart(t0.Add(5*aDay)).Format(time.DateOnly)+".db"), `DELETE FROM run WHERE id=(SELECT run FROM link WHERE no=6 AND device=(SELECT key FROM device WHERE id='Tàu-2'))`)
	if faults, _ := verifyTracks(t, dir, noted); fmt.Sprint(faults) != "[vessel Tàu-2: block 6 of "+t0.Add(5*aDay).Format(time.DateOnly)+" was removed]" {
		t.Errorf("%v", faults)
	}
}

// Tracks from before there were chains, and those of a device that becomes a
// vessel, are taken in the next night.
func TestEarlierTracksAreSealed(t *testing.T) {
	dir := t.TempDir()
	plain, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(30) {
		appendAll(t, plain, reading("Tàu-1", t0.Add(time.Duration(i)*aDay), i, 1), ingest.Entry{Event: &ingest.Event{Device: "Tàu-1", FixTime: t0.Add(time.Duration(i) * aDay), ReceivedAt: t0, Type: "sos"}})
		settle(t, plain)
	}
	plain.Close()
	j := open(t, dir)
	appendAll(t, j, reading("Tàu-1", t0.Add(40*aDay), 40, 1))
	settle(t, j)
	if faults, sum := verifyTracks(t, dir, nil); len(faults) > 0 || sum.Blocks != 1 || sum.Unsealed != 60 {
		t.Fatalf("before: %v, %+v", faults, sum)
	}
	for range 2 {
		if err := j.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if faults, sum := verifyTracks(t, dir, j.TrackHeads()); len(faults) > 0 || sum.Blocks != 61 || sum.Unsealed != 0 {
			t.Fatalf("after: %v, %+v", faults, sum)
		}
	}
}
