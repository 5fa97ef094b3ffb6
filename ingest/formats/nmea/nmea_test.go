package nmea_test

import (
	"testing"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/nmea"
)

func build() ingest.Decoder {
	d, err := nmea.New(nmea.Options{Device: "boat-1"})
	if err != nil {
		panic(err)
	}
	return d
}

// AIS examples are published sentences or made by hand from ITU-R M.1371-5; that
// other decoders read the same is in independent_test.go.
func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return build() })
}

func FuzzDecode(f *testing.F) { golden.Fuzz(f, build) }

func TestFragmentsAreJoinedAcrossPayloadsAndForgotten(t *testing.T) {
	first, second := "!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E", "!AIVDM,2,2,3,B,1@0000000000000,2*55"
	for _, c := range []struct {
		lines []string
		apart time.Duration
		want  int
	}{{[]string{first, second}, time.Second, 1}, {[]string{second, first}, time.Second, 1}, {[]string{first, second}, 6 * time.Second, 0}, {[]string{first, first, second}, time.Second, 1}} {
		d, at := build(), golden.Received
		var items []ingest.Item
		for _, l := range c.lines {
			items = append(items, d.Decode(ingest.Input{Payload: []byte(l), ReceivedAt: at})...)
			at = at.Add(c.apart)
		}
		if len(items) != c.want {
			t.Errorf("%q %s apart give %d items, want %d", c.lines, c.apart, len(items), c.want)
		}
		// What is kept for replay has both parts.
		for _, it := range items {
			if string(it.Raw) != first+"\n"+second {
				t.Errorf("%q keeps %q", c.lines, it.Raw)
			}
		}
	}
}

func TestDistressBeacon(t *testing.T) {
	// A SART, MMSI 970010119, as ggencoder encodes it.
	it := build().Decode(ingest.Input{Payload: []byte("!AIVDM,1,1,,A,1>M4f1vP007b@u0:0o`00?wp0000,0*4C"), ReceivedAt: golden.Received})
	if len(it) != 1 || it[0].Event == nil || it[0].Event.Type != "distress" || it[0].Event.Severity != "critical" {
		t.Errorf("a SART is read as %+v", it)
	}
}
