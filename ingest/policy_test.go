package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// A fix time that cannot be right follows the policy of its side.
func TestTimesThatCannotBeRightFollowThePolicy(t *testing.T) {
	for _, c := range []struct {
		future, past ingest.TimePolicy
		ts           string
		code         string // of the dead letter; empty: it is kept
		assumed      bool
		suspect      bool
	}{
		{ingest.RefuseTime, ingest.AcceptTime, "2031-01-01T00:00:00Z", "time_in_future", false, false},
		{ingest.AcceptTime, ingest.RefuseTime, "1971-01-01T00:00:00Z", "time_too_old", false, false},
		{ingest.ClampTime, ingest.RefuseTime, "2031-01-01T00:00:00Z", "", true, false},
		{ingest.RefuseTime, ingest.ClampTime, "1971-01-01T00:00:00Z", "", true, false},
		{ingest.AcceptTime, ingest.RefuseTime, "2031-01-01T00:00:00Z", "", false, true},
		{ingest.RefuseTime, ingest.AcceptTime, "1971-01-01T00:00:00Z", "", false, true},
		{ingest.AcceptTime, ingest.AcceptTime, "9999-01-01T00:00:00Z", "time_in_future", false, false},
		{ingest.AcceptTime, ingest.AcceptTime, "0001-01-02T00:00:00Z", "time_too_old", false, false},
		{ingest.RefuseTime, ingest.RefuseTime, time.Now().Add(5 * time.Minute).Format(time.RFC3339), "", false, false},
	} {
		f := start(t, func(o *ingest.Options) { o.Bounds.OnFuture, o.Bounds.OnPast = c.future, c.past })
		o := f.send(t, airTopic, fmt.Sprintf(`{"ts":%q,"lat":17.4,"lon":106.6,"values":{"pm25":7,"o3":1},"status":{"o3":"01"}}`, c.ts))
		if c.code != "" {
			if len(o.DeadLetters) != 1 || o.DeadLetters[0].Code != c.code {
				t.Errorf("%+v ended as %+v", c, o)
			}
			continue
		}
		rs, _, err := f.journal.Readings(t.Context(), ingest.ReadingsQuery{Device: "qb-air-01", To: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil || len(rs) != 1 {
			t.Fatalf("%+v is kept as %+v, %v", c, rs, err)
		}
		r := rs[0]
		if r.TimeAssumed != c.assumed || r.TimeSuspect != c.suspect {
			t.Errorf("%+v is kept as %+v", c, r)
		}
		pm25, _ := r.Value("pm25")
		o3, _ := r.Value("o3")
		if want := map[bool]ingest.Quality{true: ingest.SuspectTime, false: ingest.Good}[c.suspect]; pm25.Quality != want || o3.Quality != ingest.Calibrating {
			t.Errorf("%+v has values %+v", c, r.Values)
		}
		ps, err := f.journal.Series(t.Context(), ingest.SeriesQuery{Device: "qb-air-01", Metric: "pm25", To: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), Window: time.Hour})
		if err != nil || (len(ps) == 0) != c.suspect {
			t.Errorf("%+v has the averages %+v, %v", c, ps, err)
		}
	}
}

func TestDeadLetterSaysWhoSentItAndWhatReadIt(t *testing.T) {
	f := start(t, func(o *ingest.Options) { o.Version = "1.2" })
	o, err := f.Ingest(t.Context(), "Sở TN&MT 10.0.0.7", "qb-air-01", "readings", []byte("x"))
	if err != nil || len(o.DeadLetters) != 1 {
		t.Fatalf("ended as %+v, %v", o, err)
	}
	if d := o.DeadLetters[0]; d.Sender != "Sở TN&MT 10.0.0.7" || d.Source != "http" || d.Version != "1.2" || d.Format != "" {
		t.Errorf("native: %+v", d)
	}
	o, err = f.Take(t.Context(), "file", &ingest.Format{Name: "lines", Decoder: lines{}, Version: "1.2+0a"}, ingest.Input{Topic: "a.txt", Sender: "/srv/ftp/a.txt", Payload: []byte("x")})
	if err != nil || len(o.DeadLetters) != 1 {
		t.Fatalf("ended as %+v, %v", o, err)
	}
	kept, err := f.letters.Get(t.Context(), o.DeadLetters[0].ID)
	if err != nil || kept.Sender != "/srv/ftp/a.txt" || kept.Format != "lines" || kept.Version != "1.2+0a" || kept.Topic != "a.txt" {
		t.Errorf("foreign: %+v, %v", kept, err)
	}
}

// A camera that says every minute that it is there fills no journal: only that
// it came or went is kept.
func TestHeartbeatsBecomeChanges(t *testing.T) {
	var mu sync.Mutex
	connection, heard := "unknown", 0
	f := start(t, func(o *ingest.Options) {
		o.Connection = func(devices.ID) string { mu.Lock(); defer mu.Unlock(); return connection }
		o.Heard = func(devices.ID, time.Time) { mu.Lock(); defer mu.Unlock(); heard++ }
	})
	topic := strings.TrimSuffix(airTopic, "readings") + "state"
	say := func(state string, stored int) {
		t.Helper()
		if o := f.send(t, topic, state); o.Stored != stored || len(o.DeadLetters) > 0 {
			t.Errorf("%s ended as %+v, want %d stored", state, o, stored)
		}
		mu.Lock()
		connection = strings.ToLower(state) // as the reader of the journal does
		mu.Unlock()
	}
	say("online", 1)
	for range 5 {
		say("ONLINE", 0)
	}
	say("offline", 1)
	say("offline", 0)
	say("online", 1)
	var said []string
	f.journal.Follow(t.Context(), 0, 10, func(_ context.Context, es []ingest.Entry) error {
		for _, e := range es {
			said = append(said, e.Event.Connection())
		}
		return context.Canceled
	})
	if fmt.Sprint(said) != "[online offline online]" || heard != 5 {
		t.Errorf("kept %v, heard %d times", said, heard)
	}
	// What a broker kept of a device says nothing of now.
	end := make(chan ingest.Outcome, 1)
	if err := f.Submit(t.Context(), ingest.Message{Source: "mqtt", Topic: topic, Payload: []byte("online"), Retained: true, ReceivedAt: time.Now(), Done: func(o ingest.Outcome) { end <- o }}); err != nil {
		t.Fatal(err)
	}
	if o := <-end; o.Stored != 0 || heard != 5 {
		t.Errorf("a retained state ended as %+v, heard %d times", o, heard)
	}
}

// While the disk takes nothing, what waits is bounded, in bytes, and the rest
// waits with its sender.
func TestWhatWaitsIsBounded(t *testing.T) {
	g := gate{open: make(chan struct{}), held: make(chan []ingest.Entry, 10_000)}
	f := start(t, func(o *ingest.Options) {
		g.Journal = o.Journal
		o.Journal = g
	})
	payload := []byte(`{"values":{"pm25":1},"x":"` + strings.Repeat("x", 250<<10) + `"}`)
	n := 0
	var ended sync.WaitGroup
	for {
		ended.Add(1)
		// For each anew: it is the one that finds no room that is to wait.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := f.Submit(ctx, ingest.Message{Source: "mqtt", Topic: airTopic, Payload: payload, ReceivedAt: time.Now(), Done: func(ingest.Outcome) { ended.Done() }})
		cancel()
		if err != nil {
			ended.Done()
			break
		}
		if n++; n > 2000 {
			t.Fatal("500 MB wait in memory")
		}
	}
	if n < 100 {
		t.Errorf("only %d messages could wait", n)
	}
	close(g.open)
	ended.Wait() // all that was taken comes to its end, and makes room
	if o := f.send(t, airTopic, `{"values":{"pm25":2}}`); o.Stored != 1 {
		t.Errorf("after it: %+v", o)
	}
}
