package ingest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/station"
)

// A row of a station file stands for itself: its wrong unit costs nobody else.
func TestWrongUnitOfARowIsRefusedAlone(t *testing.T) {
	f := start(t, func(o *ingest.Options) { o.RegisterUnknown = true })
	at := func(minute int) string {
		return time.Now().Add(time.Duration(minute-20) * time.Minute).In(time.FixedZone("", 7*3600)).Format("20060102150405")
	}
	rows := []string{
		"SO2\t12.1\tug/Nm3\t" + at(0) + "\t00", "PM2,5\t1.2\tppm\t" + at(0) + "\t00", "NO2\t3\tug/Nm3\t" + at(0) + "\t00",
		"PM2,5\t0.04\tmg/Nm3\t" + at(5) + "\t00",
		"PM2,5\t1.3\tppm\t" + at(10) + "\t00", // alone at its time
	}
	o, err := f.Take(t.Context(), "file", &ingest.Format{Name: "stations", Decoder: station.New(station.Options{})},
		ingest.Input{Topic: "QB_NM1_KHI001_20260101120500.txt", Payload: []byte(strings.Join(rows, "\n"))})
	if err != nil || o.Stored != 2 || len(o.DeadLetters) != 2 {
		t.Fatalf("became %+v %v", o, err)
	}
	for _, d := range o.DeadLetters {
		row, line := rows[1], "line 2: pm25: the unit \"ppm\""
		if strings.Contains(d.Message, "line 5") {
			row, line = rows[4], "line 5: pm25: the unit \"ppm\""
		}
		if string(d.Payload) != row || !strings.HasPrefix(d.Message, line) || d.Code != "unit_wrong" || d.Device != "QB_NM1_KHI001" {
			t.Errorf("dead letter %+v %q", d, d.Payload)
		}
	}
	rs, _, err := f.journal.Readings(context.Background(), ingest.ReadingsQuery{Device: "QB_NM1_KHI001", From: time.Now().Add(-time.Hour), To: time.Now()})
	if err != nil || len(rs) != 2 {
		t.Fatalf("kept %+v %v", rs, err)
	}
	for _, r := range rs {
		_, so2 := r.Value("so2")
		_, no2 := r.Value("no2")
		pm25, has := r.Value("pm25")
		if so2 != no2 || so2 == has || has && pm25.Number != 40 {
			t.Errorf("kept %+v", r)
		}
	}
}
