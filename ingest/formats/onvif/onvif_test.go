package onvif_test

import (
	"fmt"
	"testing"

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

// A counter runs on, is reset, and its events come twice, late and from two
// rules; what passed is counted once.
func TestCounterTellsWhatPassed(t *testing.T) {
	d := onvif.New(onvif.Options{})
	const none = -1
	for i, c := range []struct {
		rule, second string
		total, count float64
	}{
		{"in", "01", 10, none}, {"in", "02", 12, 2}, {"out", "02", 100, none}, {"in", "03", 12, 0}, {"in", "04", 15, 3},
		{"in", "04", 15, 3}, {"in", "02", 12, none}, {"in", "05", 4, 4}, {"out", "06", 101, 1}, {"in", "07", 5, 1},
	} {
		it := d.Decode(ingest.Input{Topic: "cam/onvif-ej/RuleEngine/CountAggregation/Counter/&1/" + c.rule, ReceivedAt: golden.Received,
			Payload: fmt.Appendf(nil, `{"UtcTime":"2026-11-22T07:59:%sZ","Source":{"Rule":%q},"Data":{"Count":%g}}`, c.second, c.rule, c.total)})[0]
		total, _ := it.Reading.Value("count_total_" + c.rule)
		passed, ok := it.Reading.Value("count")
		if !ok {
			passed.Number = none
		}
		if total.Number != c.total || passed.Number != c.count {
			t.Errorf("%d: %+v gives %+v", i, c, it.Reading.Values)
		}
	}
}
