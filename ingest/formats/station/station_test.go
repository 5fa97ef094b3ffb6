package station_test

import (
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/station"
)

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return station.New(station.Options{}) })
}

func FuzzDecode(f *testing.F) {
	golden.Fuzz(f, func() ingest.Decoder { return station.New(station.Options{}) })
}

// A source says itself what its loggers write for "no value".
func TestMissingIsConfigured(t *testing.T) {
	for _, c := range []struct {
		options map[string]any
		quality [2]ingest.Quality // of -9999 and of 7777
	}{
		{nil, [2]ingest.Quality{ingest.DeviceError, ingest.Good}},
		{map[string]any{"missing": []any{int64(7777), -1.5}}, [2]ingest.Quality{ingest.Good, ingest.DeviceError}},
		{map[string]any{"missing": []any{}}, [2]ingest.Quality{ingest.Good, ingest.Good}},
	} {
		d, err := formats.New("station", c.options)
		if err != nil {
			t.Fatalf("%v: %v", c.options, err)
		}
		items := d.Decode(ingest.Input{Topic: "HN_ABCD_NUO001_20260101120500.txt", Payload: []byte("COD\t-9999.0\tmg/L\t20260101120500\t00\nTSS\t7777\tmg/L\t20260101120500\t00\n")})
		vs := items[0].Reading.Values
		if got := [2]ingest.Quality{vs[0].Quality, vs[1].Quality}; got != c.quality {
			t.Errorf("with %v the qualities are %v, want %v", c.options, got, c.quality)
		}
	}
	if _, err := formats.New("station", map[string]any{"missing": "-9999"}); err == nil {
		t.Error("missing is a word, and nobody minds")
	}
}
