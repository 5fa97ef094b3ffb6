package onvif_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/onvif"
)

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return onvif.New(onvif.Options{}) })
}

func FuzzDecode(f *testing.F) {
	golden.Fuzz(f, func() ingest.Decoder { return onvif.New(onvif.Options{}) })
}

// counted decodes a counter's event of one rule, seconds after a start; count is
// NaN when it tells none.
func counted(t *testing.T, d *onvif.Decoder, rule string, seconds, total float64) (count float64) {
	t.Helper()
	at := golden.Received.Add(time.Duration(seconds * float64(time.Second)))
	it := d.Decode(ingest.Input{Topic: "cam/onvif-ej/RuleEngine/CountAggregation/Counter/&1/" + rule, ReceivedAt: at,
		Payload: fmt.Appendf(nil, `{"UtcTime":%q,"Source":{"Rule":%q},"Data":{"Count":%g}}`, at.Format(time.RFC3339Nano), rule, total)})[0]
	if v, ok := it.Reading.Value("count_total_" + rule); !ok || v.Number != total || v.Derived {
		t.Errorf("%s at %g gives %+v", rule, seconds, it.Reading.Values)
	}
	v, ok := it.Reading.Value("count")
	if !ok {
		return math.NaN()
	}
	if !v.Derived {
		t.Errorf("count is computed from earlier events and does not say so: %+v", v)
	}
	return v.Number
}

// A counter runs on, is reset, and its events come twice, late and from two
// rules; what is told is vehicles a minute of the camera, where they are known.
func TestCountIsVehiclesAMinuteOfTheCamera(t *testing.T) {
	unknown := math.NaN()
	type event struct {
		rule           string
		seconds, total float64
		count          float64
	}
	for name, events := range map[string][]event{
		"two rules, three vehicles each in ten seconds": {{"in", 0, 5, unknown}, {"out", 0, 90, unknown}, {"in", 10, 8, unknown},
			{"out", 10, 93, 36}, {"in", 20, 11, 36}, {"out", 20, 96, 36}},
		"interleaved":                {{"in", 0, 0, unknown}, {"out", 5, 0, unknown}, {"in", 10, 3, unknown}, {"out", 15, 3, 36}, {"in", 20, 6, 36}},
		"reset":                      {{"in", 0, 10, unknown}, {"in", 10, 13, 18}, {"in", 20, 2, unknown}, {"in", 30, 5, 18}},
		"a reset of one of two":      {{"in", 0, 1, unknown}, {"out", 0, 1, unknown}, {"in", 10, 2, unknown}, {"out", 10, 2, 12}, {"in", 20, 0, unknown}, {"out", 20, 3, unknown}, {"in", 30, 1, 12}},
		"again and late":             {{"in", 0, 10, unknown}, {"in", 20, 14, 12}, {"in", 20, 14, unknown}, {"in", 10, 11, unknown}, {"in", 30, 16, 12}},
		"nothing passed":             {{"in", 0, 10, unknown}, {"in", 60, 10, 0}},
		"too soon to say":            {{"in", 0, 10, unknown}, {"in", 1, 11, unknown}, {"in", 6, 12, 20}},
		"a report each five minutes": {{"in", 0, 0, unknown}, {"in", 300, 50, 10}, {"in", 600, 200, 30}},
		"the last minute or two":     {{"in", 0, 0, unknown}, {"in", 60, 60, 60}, {"in", 90, 60, 40}, {"in", 120, 60, 0}, {"in", 180, 60, 0}},
		"another rule went silent":   {{"in", 0, 0, unknown}, {"out", 0, 0, unknown}, {"in", 10, 1, unknown}, {"out", 10, 1, 12}, {"in", 70, 7, 12}, {"in", 80, 8, 6}},
		"a rule that reports rarely": {{"in", 0, 0, unknown}, {"out", 0, 0, unknown}, {"in", 300, 10, 2}, {"out", 300, 10, 4}, {"in", 600, 20, 4}},
		"a clock set back":           {{"in", 86400, 10, unknown}, {"in", 0, 12, unknown}, {"in", 10, 13, 6}},
	} {
		d := onvif.New(onvif.Options{})
		for i, e := range events {
			if got := counted(t, d, e.rule, e.seconds, e.total); got != e.count && !(math.IsNaN(got) && math.IsNaN(e.count)) {
				t.Errorf("%s: event %d of rule %s gives %g a minute, want %g", name, i, e.rule, got, e.count)
			}
		}
	}
}

// A camera that tells each vehicle gives the rate of a minute, not of the time
// between two.
func TestEventsOfEachVehicleGiveTheRateOfAMinute(t *testing.T) {
	d := onvif.New(onvif.Options{})
	total := 0.0
	for s := 0.0; s < 600; s += 20 { // two vehicles, half a second apart
		total += 2
		counted(t, d, "in", s, total-1)
		if got := counted(t, d, "in", s+0.5, total); s >= 60 && (got < 5.5 || got > 7) {
			t.Errorf("six vehicles a minute give %g at %g s", got, s)
		}
	}
}

// Without a time of its own an event counts when it arrives; another camera's
// counter is another's.
func TestCountsWithoutTimesAndOfOtherCameras(t *testing.T) {
	d := onvif.New(onvif.Options{})
	decode := func(camera string, after time.Duration, total int) (float64, bool) {
		it := d.Decode(ingest.Input{Topic: camera + "/onvif-ej/RuleEngine/CountAggregation/Counter/&1/a", ReceivedAt: golden.Received.Add(after),
			Payload: fmt.Appendf(nil, `{"Source":{"Rule":"a"},"Data":{"Count":%d}}`, total)})[0]
		v, ok := it.Reading.Value("count")
		return v.Number, ok
	}
	decode("one", 0, 1)
	decode("two", 0, 1)
	if got, ok := decode("one", 30*time.Second, 11); !ok || got != 20 {
		t.Errorf("ten vehicles in half a minute give %g %v", got, ok)
	}
	for i := range 1000 { // of rules that nobody has
		if _, ok := decode(fmt.Sprintf("three/onvif-ej/RuleEngine/CountAggregation/Counter/%d", i), 0, 1); ok {
			t.Fatal("a first event tells a rate")
		}
	}
	if got, ok := decode("one", 40*time.Second, 11); !ok || got != 15 {
		t.Errorf("after a flood of rules of another camera it gives %g %v", got, ok)
	}
}
