package nmea_test

import (
	"testing"

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

func TestDistressBeacon(t *testing.T) {
	// A SART, MMSI 970010119, as ggencoder encodes it.
	it := build().Decode(ingest.Input{Payload: []byte("!AIVDM,1,1,,A,1>M4f1vP007b@u0:0o`00?wp0000,0*4C"), ReceivedAt: golden.Received})
	if len(it) != 1 || it[0].Event == nil || it[0].Event.Type != "distress" || it[0].Event.Severity != "critical" {
		t.Errorf("a SART is read as %+v", it)
	}
}
