package journal

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"haidang/ingest"
)

// earlierSchema is that of an earlier version's file, one row for each entry.
const earlierSchema = `
CREATE TABLE device(key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE metric(key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE entry(pos INTEGER PRIMARY KEY, device INTEGER NOT NULL, kind INTEGER NOT NULL, ts INTEGER NOT NULL, seq INTEGER NOT NULL,
	recv INTEGER NOT NULL, flags INTEGER NOT NULL, lat REAL, lon REAL, body BLOB NOT NULL);
CREATE UNIQUE INDEX entry_identity ON entry(device, kind, ts, seq);
INSERT INTO device VALUES(1,'a'),(2,'b');
INSERT INTO metric VALUES(1,'pm25'),(2,'o3');
`

func TestJournalOfAnEarlierVersionIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	pos := 0
	for _, start := range []time.Time{periodStart(t0.Add(-7 * 24 * time.Hour)), periodStart(t0)} {
		db, err := sql.Open("sqlite", dsn(filepath.Join(dir, start.Format("2006-01-02")+".db")))
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		if _, err := db.Exec(earlierSchema); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`PRAGMA synchronous=OFF; BEGIN`); err != nil {
			t.Fatal(err)
		}
		row := func(dev, kind int, ts, seq int64, flags int64, lat any, body []byte) {
			pos++
			if _, err := db.Exec(`INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?)`, pos, dev, kind, ts, seq, ts+1000, flags, lat, lat, body); err != nil {
				t.Fatal(err)
			}
		}
		for i := range int64(3000) { // more than one run
			ms := start.UnixMilli() + i*60_000
			body := packValue(packValue(nil, 1, ingest.Value{Number: float64(i) / 4}), 2, ingest.Value{Number: 12.5, Quality: ingest.Calibrating})
			row(1, kindReading, ms, i, 1<<1, nil, body)
			row(2, kindReading, ms, -77-i, 1|8|16|250<<8, 17.5, body)
		}
		row(1, kindEvent, start.UnixMilli(), -5, 0, nil, []byte(`{"type":"sos","severity":"critical","data":{"n":1}}`))
		if _, err := db.Exec(`COMMIT`); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	j := open(t, dir)
	for range 2 {
		if int(j.Head()) != pos {
			t.Fatalf("the newest position is %d, want %d", j.Head(), pos)
		}
		q := ingest.ReadingsQuery{Device: "a", To: t0.AddDate(1, 0, 0), Limit: 10_000}
		as, _, err := j.Readings(t.Context(), q)
		q.Device = "b"
		bs, _, err2 := j.Readings(t.Context(), q)
		if err != nil || err2 != nil || len(as) != 6000 || len(bs) != 6000 {
			t.Fatalf("%d and %d readings: %v, %v", len(as), len(bs), err, err2)
		}
		start := periodStart(t0)
		want := "reading a" + fmt.Sprint(start.Add(time.Minute), time.Time{}, start.Add(61*time.Second), false, false, ingest.LateArrival, int64(1)) // and so on
		if got := text(&ingest.Entry{Reading: &as[3001]}); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("read\n%s, want\n%s", got, want)
		}
		b := bs[0]
		if b.Seq != ingest.NoSeq || b.Position == nil || b.Position.Lat != 17.5 || !b.TimeAssumed || b.ReceivedAt.Sub(b.SentAt) != 250*time.Millisecond || b.Values[1].Quality != ingest.Calibrating {
			t.Errorf("read %+v", b)
		}
		// What was there is known, what is new goes on in order.
		stored := appendAll(t, j, ingest.Entry{Reading: &as[7]}, ingest.Entry{Reading: &b})
		if stored[0] || stored[1] {
			t.Errorf("stored again: %v", stored)
		}
		j.Close()
		j = open(t, dir)
	}
	appendAll(t, j, reading("a", t0.Add(90*24*time.Hour), 1, 1))
	if got := collect(t, j, ingest.Pos(pos), 1); int(got[0].Pos) != pos+1 {
		t.Errorf("the next position is %d", got[0].Pos)
	}
	var events int
	if err := j.scan(t.Context(), "a", kindEvent, 0, t0.AddDate(1, 0, 0).UnixMilli(), func(e *ingest.Entry) bool {
		events++
		return e.Event.Type == "sos" && string(e.Event.Data) == `{"n":1}`
	}); err != nil || events != 2 {
		t.Errorf("%d events, %v", events, err)
	}
}
