package formats_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"haidang/ingest"
	"haidang/ingest/formats"
	"haidang/ingest/formats/golden"
)

const large = 4 << 20

// filled is a payload of 4 MiB: head, as many of body as fit, tail.
func filled(head, body, tail string) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for b.Len()+len(body)+len(tail) <= large {
		b.WriteString(body)
	}
	b.WriteString(tail)
	return b.Bytes()
}

// shapes are large payloads that mean nothing, or much in little.
var shapes = map[string][]byte{
	"letters":               filled("", "a", ""),
	"blanks":                filled("", " ", ""),
	"lines":                 filled("", "\n", ""),
	"lines of one letter":   filled("", "x\n", ""),
	"quotation marks":       filled("", `"`, ""),
	"backslashes":           filled("", `\`, ""),
	"open text":             filled(`m,device=a s="`, "x\n", ""),
	"many open texts":       filled("", "m,device=a s=\"x\n", ""),
	"tabs":                  filled("", "\t", ""),
	"commas":                filled("", ",", ""),
	"semicolons":            filled("", ";", ""),
	"sentences":             filled("", "!AIVDM,1,1,,A,1,0*00\n", ""),
	"fragments":             filled("", "!AIVDM,2,1,3,A,1,0*17\n", ""),
	"fields":                filled("m,device=a ", "a=1,", "b=1"),
	"tags":                  filled("m,device=a", ",t=x", " v=1"),
	"points":                filled("", "m,device=a v=1 1795334400000000000\n", ""),
	"brackets":              filled("", "[]", ""),
	"numbers":               filled("[", "0,", "0]"),
	"objects":               filled("[", "{},", "{}]"),
	"members":               filled(`{"a":0`, `,"b":0`, "}"),
	"a long text":           filled(`{"a":"`, "x", `"}`),
	"a long name":           filled(`{"`, "x", `":1}`),
	"escapes":               filled(`{"a":"`, `\u0041`, `"}`),
	"a pack of long names":  []byte(`[{"bn":"` + strings.Repeat("x", 2<<20) + `:","n":"a","v":1}` + strings.Repeat(`,{"n":"a","t":5,"v":1}`, 4000) + "]"),
	"a long name space":     []byte(`[{"bn":"urn:dev:` + strings.Repeat("x", 2<<20) + `:d:","n":"a","v":1}` + strings.Repeat(`,{"n":"a","v":1}`, 4000) + "]"),
	"a long unit":           []byte(`[{"bn":"a:","bu":"` + strings.Repeat("x", 2<<20) + `","n":"a","v":1}` + strings.Repeat(`,{"n":"b","v":1}`, 4000) + "]"),
	"a long header":         filled("indicator;period;source;value;"+strings.Repeat("x", 2<<20)+"\n", "a\n", ""),
	"a long quoted header":  filled("indicator;period;source;value;\"\n"+strings.Repeat("x", 2<<20)+"\"\n", "a\n", ""),
	"a gateway's long name": []byte(`{"` + strings.Repeat("x", 2<<20) + `":[` + strings.Repeat(`{"a":"x"},`, 4000) + `{"a":1}]}`),
	"a gateway's elements":  filled(`{"d":[`, `{"a":"x"},`, `{"a":1}]}`),
	"records in error":      filled(`{"data":{"list":[`, `{"id":1,"x":"`+strings.Repeat("x", 1000)+`"},`, `{}]}}`),
	"a station's day":       filled("", "SO2\t12.1\tug/Nm3\t20260101120500\t01\n", ""),
	"vessels":               filled("", "$MREF,14,Q,180500,V,,,,,,,221126\n", ""),
}

// topics lead each format into its own reading.
var topics = map[string]string{
	"chirpstack": "application/1/device/0101010101010101/event/up", "ttn": "v3/a@t/devices/d/up", "station": "HN_ABCD_NUO001_20260101120500.txt", "osmand": "/osmand",
	"thingsboard": "v1/gateway/telemetry", "onvif": "cam/onvif-ej/RuleEngine/CountAggregation/Counter/&1", "lineprotocol": "/api/v2/write", "mapping": "plant/7/data",
}

// What comes of a large payload takes memory in proportion to it: while it is
// read, and as dead letters, each of which keeps its own bytes.
func TestLargePayloadsTakeBoundedMemory(t *testing.T) {
	const (
		whileRead = 64 // times the payload, all that is allocated and let go again counted
		kept      = 12
	)
	for _, format := range formats.Names() {
		for name, payload := range shapes {
			d, err := formats.New(format, options[format])
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			items := d.Decode(ingest.Input{Topic: topics[format], Payload: payload, ReceivedAt: golden.Received})
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > whileRead*uint64(len(payload)) {
				t.Errorf("%s takes %d MiB to read %s of %d MiB", format, used>>20, name, len(payload)>>20)
			}
			letters := 0
			for _, it := range items {
				golden.Check(t, it)
				letters += len(it.Raw) + len(it.Where)
				if it.Raw == nil {
					letters += len(payload)
				}
			}
			if letters > kept*len(payload) {
				t.Errorf("%s makes %d items of %s, whose bytes are %d MiB", format, len(items), name, letters>>20)
			}
		}
	}
}
