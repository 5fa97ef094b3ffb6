package lineprotocol_test

import (
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/lineprotocol"
)

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return lineprotocol.New(lineprotocol.Options{}) })
}

func FuzzDecode(f *testing.F) {
	golden.Fuzz(f, func() ingest.Decoder { return lineprotocol.New(lineprotocol.Options{}) })
}
