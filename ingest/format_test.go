package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/deadletters"
)

// lines is a small real format: each line is a device, a value and a unit.
type lines struct{}

func (lines) Decode(in ingest.Input) (items []ingest.Item) {
	for i, line := range strings.Split(strings.TrimSpace(string(in.Payload)), "\n") {
		var dev, unit string
		var x float64
		it := ingest.Item{Where: fmt.Sprintf("line %d", i+1), Raw: []byte(line)}
		if _, err := fmt.Sscanf(line, "%s %g %s", &dev, &x, &unit); err != nil {
			it.Refusal = &ingest.Refusal{Stage: ingest.StageDecode, Code: "line_invalid", Message: "three words are wanted"}
		} else {
			it.Device, it.Units = devices.ID(dev), map[string]string{"pm25": unit}
			it.Reading = &ingest.Reading{Seq: ingest.NoSeq, FixTime: in.ReceivedAt.Add(-time.Duration(i) * time.Second), Values: []ingest.Value{{Metric: "pm25", Number: x}}}
		}
		items = append(items, it)
	}
	if string(in.Payload) == "panic" {
		panic("as a broken decoder would")
	}
	return items
}

// counter is a format whose second value is known only to who saw the message
// before, as a rate is.
type counter struct{ seen map[string]bool }

func (c counter) Decode(in ingest.Input) []ingest.Item {
	rd := &ingest.Reading{Seq: ingest.NoSeq, FixTime: in.ReceivedAt.Truncate(time.Hour), Values: []ingest.Value{{Metric: "total", Number: float64(len(in.Payload))}}}
	if c.seen[in.Topic] {
		rd.Values = append(rd.Values, ingest.Value{Metric: "count", Number: 36, Derived: true})
	}
	c.seen[in.Topic] = true
	return []ingest.Item{{Device: "qb-air-01", Reading: rd}}
}

// Redelivered to a program that began anew, a message lacks what was derived:
// it is the same message.
func TestDerivedValuesMakeNoOtherReading(t *testing.T) {
	c := counter{map[string]bool{"plant/1": true}}
	f := start(t, func(o *ingest.Options) {
		o.Feeds = []ingest.Feed{{Filter: "plant/#", Format: &ingest.Format{Name: "counter", Decoder: c}}}
	})
	if o := f.send(t, "plant/1", "xx"); o.Stored != 1 {
		t.Fatalf("became %+v", o)
	}
	delete(c.seen, "plant/1")
	if o := f.send(t, "plant/1", "xx"); o.Duplicates != 1 {
		t.Errorf("again, without what was derived: %+v", o)
	}
	if o := f.send(t, "plant/1", "xxx"); o.Stored != 1 {
		t.Errorf("another total: %+v", o)
	}
	rs, _, err := f.journal.Readings(t.Context(), ingest.ReadingsQuery{Device: "qb-air-01", To: time.Now()})
	if err != nil || len(rs) != 2 || len(rs[0].Values) != 2 && len(rs[1].Values) != 2 {
		t.Errorf("kept %+v, %v", rs, err)
	}
}

// beacons is a format of calls for help: each line is a device, an event's type,
// its place and its time.
type beacons struct{}

func (beacons) Decode(in ingest.Input) (items []ingest.Item) {
	for line := range strings.Lines(string(in.Payload)) {
		var dev, typ, at string
		ev, where := &ingest.Event{}, &devices.Position{}
		if _, err := fmt.Sscan(line, &dev, &typ, &where.Lat, &where.Lon, &at); err != nil {
			panic(err)
		}
		ev.Type, ev.Position = typ, where
		ev.FixTime, _ = time.Parse(time.RFC3339, at)
		items = append(items, ingest.Item{Device: devices.ID(dev), Event: ev})
	}
	return items
}

// Nothing silences a call for help: no device that nobody registered, no clock
// that lost its time, no place beyond our waters.
func TestDistressIsNeverRefused(t *testing.T) {
	f := start(t, func(o *ingest.Options) {
		o.Feeds = []ingest.Feed{{Filter: "sea/#", Format: &ingest.Format{Name: "beacons", Decoder: beacons{}}}}
	})
	now := time.Now().UTC().Truncate(time.Second)
	o := f.send(t, "sea/1", fmt.Sprintf("970011111 distress 12 122.17 %s\nqb-air-01 sos 17 107 1980-01-06T00:00:00Z\n970022222 distress 95 107 %[1]s\n"+
		"970033333 distress_test 12 110 %[1]s\nqb-air-01 door_open 12 122.17 %[1]s\n", now.Format(time.RFC3339)))
	if o.Stored != 3 || len(o.DeadLetters) != 2 || o.DeadLetters[0].Code != "device_unknown" || o.DeadLetters[1].Code != "position_outside" {
		t.Fatalf("became %+v", o)
	}
	got := map[devices.ID]*ingest.Event{}
	ctx, enough := context.WithCancel(t.Context())
	_ = f.journal.Follow(ctx, 0, 10, func(_ context.Context, es []ingest.Entry) error {
		for _, e := range es {
			got[e.Event.Device] = e.Event
		}
		enough()
		return nil
	})
	if e := got["970011111"]; e == nil || e.Position == nil || e.Position.Lon != 122.17 || !e.FixTime.Equal(now) {
		t.Errorf("beyond our waters: %+v", e)
	}
	if e := got["qb-air-01"]; e == nil || !e.TimeAssumed || time.Since(e.FixTime) > time.Minute || e.Lateness != ingest.LiveNow {
		t.Errorf("of 1980: %+v", e)
	}
	if e := got["970022222"]; e == nil || e.Position != nil {
		t.Errorf("beyond the pole: %+v", e)
	}
}

var lineFormat = &ingest.Format{Name: "lines", Decoder: lines{}}

func withLines(o *ingest.Options) {
	o.Feeds = []ingest.Feed{{Filter: "plant/+/data", Format: lineFormat}}
}

func TestForeignFormatBecomesReadings(t *testing.T) {
	f := start(t, withLines)
	o := f.send(t, "plant/7/data", "qb-air-01 0.04 mg/Nm3\nnobody 1 ug/m3\nqb-air-01 x\nqb-air-01 5 kg\nQB-AIR-01 30 -")
	if o.Stored != 2 || len(o.DeadLetters) != 3 {
		t.Fatalf("became %+v", o)
	}
	for i, says := range []string{"line 2: device nobody is not registered", "line 3: three words are wanted", "pm25: the unit \"kg\""} {
		if d := o.DeadLetters[i]; !strings.Contains(d.Message, says) || d.Format != "lines" || strings.Contains(string(d.Payload), "\n") {
			t.Errorf("dead letter %d: %+v %s", i, d, d.Payload)
		}
	}
	rs, _, err := f.journal.Readings(context.Background(), ingest.ReadingsQuery{Device: "qb-air-01", From: time.Now().Add(-time.Hour), To: time.Now()})
	if err != nil || len(rs) != 2 || rs[1].Values[0].Number != 40 || rs[0].Values[0].Number != 30 {
		t.Errorf("kept %+v %v", rs, err)
	}
	if o := f.send(t, "plant/7/other", "x"); len(o.DeadLetters) != 1 || o.DeadLetters[0].Code != "topic_unknown" {
		t.Errorf("another topic: %+v", o)
	}
	if o := f.send(t, "plant/7/data", "panic"); len(o.DeadLetters) != 1 || o.DeadLetters[0].Code != "decoder_fault" {
		t.Errorf("a decoder that breaks: %+v", o)
	}
}

// senders is a format that keeps nothing and tells who sent it.
type senders chan string

func (s senders) Decode(in ingest.Input) []ingest.Item {
	s <- in.Sender
	return nil
}

func TestDecoderKnowsTheSender(t *testing.T) {
	f, who := start(t), make(senders, 1)
	err := f.Submit(t.Context(), ingest.Message{Sender: "10.0.0.7:5000", Format: &ingest.Format{Name: "senders", Decoder: who}, ReceivedAt: time.Now()})
	if got := <-who; err != nil || got != "10.0.0.7:5000" {
		t.Errorf("the decoder sees the sender %q, %v", got, err)
	}
}

// What a source refuses itself is a dead letter and counted; only its beginning is
// kept, and the size of the whole.
func TestRefusalOfASource(t *testing.T) {
	f := start(t, withLines)
	err := f.Refuse(t.Context(), "file", lineFormat, ingest.Input{Topic: "a.txt", Payload: []byte("qb-air-01 1 ug/m3"), Sender: "/srv/a.txt"}, 9<<20,
		&ingest.Refusal{Stage: ingest.StageDecode, Code: "payload_too_large", Message: "the file is too large"})
	if err != nil {
		t.Fatal(err)
	}
	letters, _, err := f.letters.List(t.Context(), deadletters.Filter{})
	if err != nil || len(letters) != 1 || letters[0].Size != 9<<20 || len(letters[0].Payload) != 17 || letters[0].Code != "payload_too_large" || letters[0].Format != "lines" || letters[0].Sender != "/srv/a.txt" {
		t.Errorf("the dead letters are %+v %v", letters, err)
	}
	for _, s := range f.Sources(time.Now()) {
		if s.Name == "lines" && (s.Via != "file" || s.Refused != 1 || s.Messages != 1 || s.Stored != 0) {
			t.Errorf("the source is %+v", s)
		}
	}
	if sum, err := f.letters.Replay(t.Context(), deadletters.Filter{}, f.Pipeline, func(string) (*ingest.Format, bool) { return lineFormat, true }); err != nil || sum.Letters != 0 {
		t.Errorf("a beginning was replayed as if it were the whole: %+v %v", sum, err)
	}
}

func TestTopicFilters(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		fits          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/b/c", false}, {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false}, {"a/+", "a", false}, {"a/+", "a/", true},
		{"a/#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "b", false}, {"a/b/c", "a/b", false}, {"application/+/device/+/event/up", "application/1/device/70b3/event/up", true},
	} {
		if got := ingest.Matches(c.filter, c.topic); got != c.fits {
			t.Errorf("%s fits %s: %v", c.filter, c.topic, got)
		}
	}
	for _, bad := range []string{"", "#", "+/x", "$SYS/#", "ioc/v1/devices/#", "a/#/b", "a/b+"} {
		if ingest.CheckFilter(bad) == nil {
			t.Errorf("filter %q is taken", bad)
		}
	}
}

// gate is a journal that lets one append through at a time and tells what it held.
type gate struct {
	ingest.Journal
	open chan struct{}
	held chan []ingest.Entry
}

func (g gate) Append(ctx context.Context, es []ingest.Entry) ([]bool, error) {
	<-g.open
	g.held <- append([]ingest.Entry(nil), es...)
	return g.Journal.Append(ctx, es)
}

func TestLiveReadingsOvertakeBackfill(t *testing.T) {
	g := gate{open: make(chan struct{}), held: make(chan []ingest.Entry, 100)}
	f := start(t, func(o *ingest.Options) {
		g.Journal = o.Journal
		o.Journal = g
		withLines(o)
	})
	ends := make(chan ingest.Outcome, 10)
	submit := func(topic string, payload string) {
		err := f.Submit(t.Context(), ingest.Message{Topic: topic, Payload: []byte(payload), ReceivedAt: time.Now(), Done: func(o ingest.Outcome) { ends <- o }})
		if err != nil {
			t.Fatal(err)
		}
	}
	submit("plant/7/data", strings.Repeat("qb-air-01 1 ug/m3\n", 3000)) // a long one, in several batches
	time.Sleep(50 * time.Millisecond)                                   // its first batch waits at the gate
	submit(airTopic, `{"values":{"pm25":3}}`)
	g.open <- struct{}{}
	first := <-g.held
	g.open <- struct{}{}
	second := <-g.held
	if len(first) != 1000 || len(second) != 1 || second[0].Reading.Values[0].Number != 3 {
		t.Errorf("the journal got %d entries, then %d", len(first), len(second))
	}
	close(g.open)
	if o := <-ends; o.Stored != 1 {
		t.Errorf("the live reading ended first as %+v", o)
	}
	if o := <-ends; o.Stored != 3000 {
		t.Errorf("the long payload ended as %+v", o)
	}
}

func TestFloodOfOneDeviceIsKeptAndTold(t *testing.T) {
	f := start(t, func(o *ingest.Options) {
		var err error
		if o.DeviceLimits, err = ingest.ParseLimits("5:3600"); err != nil {
			t.Fatal(err)
		}
	})
	stored := 0
	for i := range 20 {
		stored += f.send(t, airTopic, fmt.Sprintf(`{"values":{"pm25":%d}}`, i)).Stored
	}
	if stored != 20 || len(f.told) != 1 {
		t.Fatalf("%d of 20 stored, told %d times", stored, len(f.told))
	}
	var d ingest.DeadLetter
	select {
	case d = <-f.told:
	case <-time.After(10 * time.Second):
		t.Fatal("the flooding device is told nothing")
	}
	if d.Code != "rate_limited" || !strings.Contains(d.Message, "more than 5 messages") {
		t.Errorf("told %+v", d)
	}
	for _, bad := range []string{"5", "5:0", "a:1", "5:1,", "0:1", "1:1,1:2,1:3,1:4,1:5"} {
		if _, err := ingest.ParseLimits(bad); err == nil {
			t.Errorf("limits %q are taken", bad)
		}
	}
}

// In a foreign format a gateway sends for many devices, in one message or in
// many: the one that floods waits, the others do not.
func TestFloodThroughAGatewayIsLimitedByDevice(t *testing.T) {
	g := gate{open: make(chan struct{}, 100), held: make(chan []ingest.Entry, 100)}
	counted := prometheus.NewRegistry()
	f := start(t, func(o *ingest.Options) {
		withLines(o)
		g.Journal = o.Journal
		o.Journal, o.Metrics, o.RegisterUnknown = g, counted, true
		o.DeviceLimits = []ingest.Limit{{N: 5, Per: time.Hour}}
	})
	ends := make(chan ingest.Outcome, 10)
	submit := func(payload string) {
		err := f.Submit(t.Context(), ingest.Message{Source: "mqtt", Topic: "plant/7/data", Payload: []byte(payload), ReceivedAt: time.Now(), Done: func(o ingest.Outcome) { ends <- o }})
		if err != nil {
			t.Fatal(err)
		}
	}
	submit("first 1 ug/m3")
	time.Sleep(50 * time.Millisecond) // it waits at the gate
	submit(strings.Repeat("flooder 1 ug/m3\n", 8) + "nonsense\nquiet 1 ug/m3")
	submit("flooder 2 ug/m3")
	submit("other 1 ug/m3")
	close(g.open)
	var of []string
	for range 4 {
		o := <-ends
		of = append(of, fmt.Sprintf("%d+%d", o.Stored, len(o.DeadLetters)))
	}
	<-g.held
	var order []string
	for len(order) < 11 {
		for _, e := range <-g.held {
			order = append(order, string(e.Reading.Device))
		}
	}
	if want := strings.Repeat("flooder ", 5) + "quiet other" + strings.Repeat(" flooder", 4); strings.Join(order, " ") != want {
		t.Errorf("kept in the order %v, want %s", order, want)
	}
	slices.Sort(of)
	if fmt.Sprint(of) != "[1+0 1+0 1+0 9+1]" {
		t.Errorf("the messages ended as %v", of)
	}
	var d ingest.DeadLetter
	select {
	case d = <-f.told:
	case <-time.After(10 * time.Second):
		t.Fatal("the flooding device is told nothing")
	}
	if d.Code != "rate_limited" || d.Device != "flooder" || !strings.Contains(d.Message, "more than 5 messages") || len(f.told) > 0 {
		t.Errorf("told %+v, and %d more", d, len(f.told))
	}
	if n := f.Sources(time.Now())[0].Messages; n != 4 {
		t.Errorf("4 messages are counted as %d", n)
	}
	families, err := counted.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families {
		if n := m.GetMetric()[0].GetCounter().GetValue(); m.GetName() == "haidang_ingest_limited_total" && n != 4 {
			t.Errorf("%g are counted as limited, want 4", n)
		}
	}
}

func TestReplayStoresOnceWithTheOriginalTimes(t *testing.T) {
	f := start(t, withLines)
	sent := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	end := make(chan ingest.Outcome, 1)
	take := func(m ingest.Message) ingest.Outcome {
		m.Done = func(o ingest.Outcome) { end <- o }
		if err := f.Submit(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		return <-end
	}
	take(ingest.Message{Format: &ingest.Format{Name: "lines", Decoder: never{}}, Topic: "plant/7/data", Payload: []byte("qb-air-01 7 ug/m3\nqb-air-01 8 ug/m3"), ReceivedAt: sent})
	take(ingest.Message{Topic: "ioc/v1/devices/nobody/readings", Payload: []byte(`{"values":{"a":1}}`), ReceivedAt: sent})
	find := func(name string) (*ingest.Format, bool) { return lineFormat, name == "lines" }
	sum, err := f.letters.Replay(t.Context(), deadletters.Filter{Format: "lines"}, f, find)
	if err != nil || sum.Letters != 1 || sum.Stored != 2 || sum.DeadLetters != 0 {
		t.Fatalf("replayed: %+v %v", sum, err)
	}
	rs, _, _ := f.journal.Readings(t.Context(), ingest.ReadingsQuery{Device: "qb-air-01", From: sent.Add(-time.Minute), To: sent.Add(time.Minute)})
	if len(rs) != 2 || !rs[1].FixTime.Equal(sent) || !rs[1].ReceivedAt.Equal(sent) {
		t.Errorf("replayed as %+v", rs)
	}
	if sum, err := f.letters.Replay(t.Context(), deadletters.Filter{Format: "lines"}, f, find); err != nil || sum.Letters != 0 {
		t.Errorf("replayed again: %+v %v", sum, err)
	}
	sum, err = f.letters.Replay(t.Context(), deadletters.Filter{}, f, find)
	if err != nil || sum.Letters != 1 || sum.DeadLetters != 1 {
		t.Errorf("one that fails again: %+v %v", sum, err)
	}
	if n, err := f.letters.Discard(t.Context(), deadletters.Filter{}, time.Now()); n != 1 || err != nil {
		t.Errorf("discarded %d %v", n, err)
	}
	if n, _ := f.letters.Count(t.Context()); n != 0 {
		t.Errorf("%d are new after all were replayed or discarded", n)
	}
	if n, err := f.letters.Restore(t.Context(), deadletters.Filter{}); n != 1 || err != nil {
		t.Errorf("restored %d %v", n, err)
	}
}

// never stands for a decoder that was not mended yet.
type never struct{}

func (never) Decode(ingest.Input) []ingest.Item {
	return []ingest.Item{{Refusal: &ingest.Refusal{Stage: ingest.StageDecode, Code: "x", Message: errors.ErrUnsupported.Error()}}}
}
