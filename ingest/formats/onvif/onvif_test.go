package onvif_test

import (
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
