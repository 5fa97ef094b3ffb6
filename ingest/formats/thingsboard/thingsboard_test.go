package thingsboard_test

import (
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/thingsboard"
)

func build() ingest.Decoder {
	d, err := thingsboard.New(thingsboard.Options{Device: "tb-1"})
	if err != nil {
		panic(err)
	}
	return d
}

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return build() })
}

func FuzzDecode(f *testing.F) { golden.Fuzz(f, build) }

func TestNumbersAsTextAreReadWhereTheOptionsSaySo(t *testing.T) {
	d, err := thingsboard.New(thingsboard.Options{Device: "tb-1", Text: true})
	if err != nil {
		t.Fatal(err)
	}
	items := d.Decode(ingest.Input{Topic: "v1/devices/me/telemetry", Payload: []byte(`{"temperature":"25.50","note":"ok","level":"2,5","code":"0x1F"}`), ReceivedAt: golden.Received})
	if len(items) != 1 || items[0].Reading == nil || len(items[0].Reading.Values) != 1 || items[0].Reading.Values[0].Number != 25.5 {
		t.Errorf("read as %+v", items)
	}
}
