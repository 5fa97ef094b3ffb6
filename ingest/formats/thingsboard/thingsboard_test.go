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
