package chirpstack_test

import (
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats/chirpstack"
	"haidang/ingest/formats/golden"
)

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return chirpstack.New() })
}

func FuzzDecode(f *testing.F) {
	golden.Fuzz(f, func() ingest.Decoder { return chirpstack.New() })
}
