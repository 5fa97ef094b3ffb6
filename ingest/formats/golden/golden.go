// Package golden holds decoders against folders of examples, and against what
// must hold for any input. Only tests import it.
package golden

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"haidang/devices"
	"haidang/ingest"
)

var update = flag.Bool("update", false, "write what decoders give now as what is expected")

// Received is when all examples arrive.
var Received = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// value and item are an item's readable form in expected.json.
type value struct {
	Value   float64 `json:"value"`
	Quality string  `json:"quality,omitempty"`
	Unit    string  `json:"unit,omitempty"`
}

type item struct {
	Device   devices.ID        `json:"device,omitempty"`
	Time     string            `json:"time,omitempty"`
	Sent     string            `json:"sent,omitempty"`
	Seq      *int64            `json:"seq,omitempty"`
	Position *devices.Position `json:"position,omitempty"`
	Values   map[string]value  `json:"values,omitempty"`
	Event    string            `json:"event,omitempty"`
	Severity string            `json:"severity,omitempty"`
	Data     json.RawMessage   `json:"data,omitempty"`
	Refused  string            `json:"refused,omitempty"`
	Where    string            `json:"where,omitempty"`
}

func show(it ingest.Item) item {
	x := item{Device: it.Device, Where: it.Where}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format("2006-01-02T15:04:05.000Z07:00")
	}
	switch {
	case it.Refusal != nil:
		x.Refused = it.Refusal.Code + ": " + it.Refusal.Message
	case it.Reading != nil:
		r := it.Reading
		x.Time, x.Sent, x.Position, x.Values = at(r.FixTime), at(r.SentAt), r.Position, map[string]value{}
		if r.Seq >= 0 {
			x.Seq = &r.Seq
		}
		for _, v := range r.Values {
			q := v.Quality.String()
			if v.Quality == ingest.Good {
				q = ""
			}
			x.Values[v.Metric] = value{v.Number, q, it.Units[v.Metric]}
		}
	case it.Event != nil:
		e := it.Event
		x.Time, x.Position, x.Event, x.Severity, x.Data = at(e.FixTime), e.Position, e.Type, e.Severity, e.Data
	}
	return x
}

// Run decodes each folder of testdata: input.* with the topic of topic.txt, if
// there is one; expected.json has what it must give. make gives each case a
// decoder of its own.
func Run(t *testing.T, make func(t *testing.T, name string) ingest.Decoder) {
	t.Helper()
	inputs, _ := filepath.Glob("testdata/*/input.*")
	if len(inputs) == 0 {
		t.Fatal("no examples in testdata")
	}
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			payload, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			topic, _ := os.ReadFile(filepath.Join(dir, "topic.txt"))
			items := []item{}
			for _, it := range make(t, filepath.Base(dir)).Decode(ingest.Input{Topic: strings.TrimSpace(string(topic)), Payload: payload, ReceivedAt: Received}) {
				items = append(items, show(it))
			}
			got, err := json.MarshalIndent(items, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			expected := filepath.Join(dir, "expected.json")
			if *update {
				if err := os.WriteFile(expected, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(string(want)) != string(got) {
				t.Errorf("%s gives\n%s\nwant\n%s", input, got, want)
			}
		})
	}
}

// Fuzz feeds a decoder anything, beginning with the examples, and holds it to
// what is true of every input. A decoder that keeps state is made anew.
func Fuzz(f *testing.F, make func() ingest.Decoder) {
	inputs, _ := filepath.Glob("testdata/*/input.*")
	for _, input := range inputs {
		payload, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		topic, _ := os.ReadFile(filepath.Join(filepath.Dir(input), "topic.txt"))
		f.Add(strings.TrimSpace(string(topic)), payload)
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		if len(payload) > 64<<10 {
			return
		}
		items := make().Decode(ingest.Input{Topic: topic, Payload: payload, ReceivedAt: Received})
		if size := len(topic) + len(payload); len(items) > size+1 {
			t.Fatalf("%d items from %d bytes", len(items), size)
		}
		for _, it := range items {
			Check(t, it)
		}
	})
}

var (
	code    = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	garbled = regexp.MustCompile(`%!\w\(\w+=|%!\(EXTRA|\(MISSING\)`) // a format that went wrong
)

// Check holds one item to what is true of every item.
func Check(t *testing.T, it ingest.Item) {
	t.Helper()
	set := 0
	for _, is := range []bool{it.Reading != nil, it.Event != nil, it.Refusal != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		t.Fatalf("an item is %d things at once: %+v", set, it)
	}
	if it.Refusal != nil {
		r := it.Refusal
		if !code.MatchString(r.Code) || r.Stage != ingest.StageDecode {
			t.Fatalf("a refusal without a code of its own: %+v", r)
		}
		// strconv and jsontext speak to programmers.
		if len(r.Message) < 12 || len(r.Message) > 1000 || !utf8.ValidString(r.Message) || garbled.MatchString(r.Message) || strings.Contains(r.Message, "strconv.") || strings.Contains(r.Message, "jsontext") {
			t.Fatalf("a refusal without words for people: %+v", r)
		}
		return
	}
	if id, err := devices.ParseID(string(it.Device)); err != nil || id != it.Device {
		t.Fatalf("device id %q: %v", it.Device, err)
	}
	if r := it.Reading; r != nil {
		names := map[string]bool{}
		for _, v := range r.Values {
			if math.IsNaN(v.Number) || math.IsInf(v.Number, 0) || v.Metric == "" || len(v.Metric) > 64 || names[v.Metric] {
				t.Fatalf("value %+v", v)
			}
			names[v.Metric] = true
		}
		if len(r.Values) == 0 && r.Position == nil || len(r.Values) > 256 {
			t.Fatalf("a reading with %d values and no position", len(r.Values))
		}
	}
	if e := it.Event; e != nil && (e.Type == "" || len(e.Data) > 16<<10 || len(e.Data) > 0 && !json.Valid(e.Data)) {
		t.Fatalf("event %+v", e)
	}
}
