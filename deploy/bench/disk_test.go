package main

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"haidang/ingest"
	"haidang/ingest/journal"
)

func TestPastIsTheSameInBothForms(t *testing.T) {
	p := newPast(2, time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	if !p.until.Equal(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)) || p.rows() != 86_400 {
		t.Fatalf("until %s, %d rows", p.until, p.rows())
	}
	next, stop := iter.Pull(p.lines())
	defer stop()
	rows := 0
	for n, es := range p.batches(1000) {
		if n != rows {
			t.Fatalf("%d came before, the batch says %d", rows, n)
		}
		rows += len(es)
		for _, e := range es {
			line, _ := next()
			r := e.Reading
			if off := r.FixTime.UnixMilli() % 60_000; off >= 400 {
				t.Fatalf("%s is %d ms after its minute", r.FixTime, off)
			}
			want := fmt.Sprintf("generic,device=%s temp=%v,humidity=%v,pm25=%v,noise=%v,battery_v=%v %d", r.Device,
				r.Values[0].Number, r.Values[1].Number, r.Values[2].Number, r.Values[3].Number, r.Values[4].Number, r.FixTime.UnixMilli())
			if string(line) != want {
				t.Fatalf("line %s, want %s", line, want)
			}
		}
	}
	if _, more := next(); more || rows != p.rows() {
		t.Errorf("%d rows, more lines: %v", rows, more)
	}
	if ms := p.means(1, p.until.Add(-24*time.Hour), p.until, 5*time.Minute); len(ms) != 288 {
		t.Errorf("%d windows in a day", len(ms))
	}
}

// A journal filled as disk fills it answers with the means of the past.
func TestJournalOfThePastAnswers(t *testing.T) {
	p := newPast(1, time.Now())
	dir := t.TempDir()
	if err := fillJournal(t.Context(), dir, p); err != nil {
		t.Fatal(err)
	}
	if size, err := sizeOf(dir); err != nil || size < int64(p.rows()) || size > int64(40*p.rows()) {
		t.Errorf("%d bytes for %d rows, %v", size, p.rows(), err)
	}
	j, err := journal.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	points, err := j.Series(t.Context(), ingest.SeriesQuery{Device: "disk-0000", Metric: askedMetric, From: p.from, To: p.until, Window: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, len(points))
	for i := range points {
		got[i] = points[i].Mean
	}
	if err := alike(got, p.means(0, p.from, p.until, time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestAnswersAreRead(t *testing.T) {
	for _, test := range []struct {
		read func([]byte) ([]float64, error)
		body string
		want []float64
		ok   bool
	}{
		{seriesMeans, `{"items":[{"ts":"2026-11-25T00:00:00Z","mean":1.5},{"ts":"2026-11-25T01:00:00Z","mean":-2}],"source":"journal"}`, []float64{1.5, -2}, true},
		{seriesMeans, `{"items":[{"ts":"2026-11-25T00:00:00Z","max":1.5}]}`, nil, false},
		{influx("").numbers, `{"results":[{"series":[{"values":[[1700000000000,1.5],[1700000300000,null],[1700000600000,-2]]}]}]}`, []float64{1.5, -2}, true},
		{influx("").numbers, `{"results":[{"series":[{"values":[[1700000000000,"bench-1",null,3]]}]}]}`, []float64{3}, true},
		{influx("").numbers, `{"results":[{"statement_id":0}]}`, nil, true},
		{influx("").numbers, `{"results":[{"error":"database not found: bench"}]}`, nil, false},
	} {
		got, err := test.read([]byte(test.body))
		if !slices.Equal(got, test.want) || (err == nil) != test.ok {
			t.Errorf("%s: read %v, %v", test.body, got, err)
		}
	}
}
