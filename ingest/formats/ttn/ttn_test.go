package ttn_test

import (
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/ttn"
)

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return ttn.New() })
}

func FuzzDecode(f *testing.F) {
	golden.Fuzz(f, func() ingest.Decoder { return ttn.New() })
}
