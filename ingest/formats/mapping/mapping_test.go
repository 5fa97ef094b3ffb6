package mapping_test

import (
	"strings"
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
	"haidang/ingest/formats/mapping"
)

func build() ingest.Decoder {
	d, err := mapping.New(mapping.Options{Records: "data.list", Device: "id", Prefix: "pl-", Time: "at", Layout: "02/01/2006 15:04:05", Seq: "n", Lat: "p.lat", Lon: "p.lon",
		Metrics: map[string]mapping.Metric{
			"flow":  {Path: "v[0].x", Unit: "m3/h", Scale: 10, Offset: 1, Text: true, Comma: true},
			"state": {Path: "s", Table: map[string]float64{"on": 1, "off": 0}},
			"bad":   {Path: "bad", Missing: []float64{-9999}},
		}})
	if err != nil {
		panic(err)
	}
	return d
}

func TestExamples(t *testing.T) {
	golden.Run(t, func(*testing.T, string) ingest.Decoder { return build() })
}

func FuzzDecode(f *testing.F) { golden.Fuzz(f, build) }

func TestBadMappingsNameTheKey(t *testing.T) {
	m := map[string]mapping.Metric{"a": {Path: "x"}}
	for says, o := range map[string]mapping.Options{
		"device: give either":     {Metrics: m},
		"device: ":                {Device: "a..b[", Metrics: m},
		"topic_level":             {TopicLevel: -1, Metrics: m},
		"lat and lon":             {Device: "id", Lat: "a", Metrics: m},
		"metrics: name":           {Device: "id"},
		"metrics.a.path":          {Device: "id", Metrics: map[string]mapping.Metric{"a": {}}},
		"metrics.b.path: \"x[-1]": {Device: "id", Metrics: map[string]mapping.Metric{"b": {Path: "x[-1]"}}},
		"zone":                    {Device: "id", Zone: "Hanoi", Metrics: m},
		"layout: ":                {Device: "id", Layout: "unix", Metrics: m},
	} {
		if _, err := mapping.New(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v says %v, want …%s…", o, err, says)
		}
	}
}

func TestTopicLevelNamesTheDevice(t *testing.T) {
	d, err := mapping.New(mapping.Options{TopicLevel: 2, Lat: "p.y", Lon: "p.x", Time: "t", Layout: "unix", Seq: "n", Metrics: map[string]mapping.Metric{"v": {Path: "v"}}})
	if err != nil {
		t.Fatal(err)
	}
	it := d.Decode(ingest.Input{Topic: "plant/7/data", Payload: []byte(`{"t":1795334400,"n":5,"v":1.5,"p":{"x":106.6,"y":17.4}}`)})[0]
	if it.Device != "7" || it.Reading.Seq != 5 || it.Reading.Position.Lat != 17.4 || it.Reading.FixTime.Unix() != 1795334400 {
		t.Errorf("read as %+v", it.Reading)
	}
}
