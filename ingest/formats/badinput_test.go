package formats_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats"
	"haidang/ingest/formats/golden"
)

// options make each format read its own examples.
var options = map[string]formats.Options{
	"thingsboard": {"device": "tb-1"},
	"nmea":        {"device": "boat-1"},
	"mapping": {"records": "data.list", "device": "id", "prefix": "pl-", "time": "at", "layout": "02/01/2006 15:04:05", "seq": "n", "lat": "p.lat", "lon": "p.lon",
		"metrics": map[string]any{
			"flow":  map[string]any{"path": "v[0].x", "unit": "m3/h", "text": true, "comma": true},
			"state": map[string]any{"path": "s", "table": map[string]any{"on": 1, "off": 0}},
			"bad":   map[string]any{"path": "bad", "missing": []float64{-9999}},
		}},
}

// example is one payload of a format's own examples.
type example struct {
	name, topic string
	payload     []byte
}

// decode gives each payload a decoder of its own: some remember.
func decode(t *testing.T, format, topic string, payload []byte) []ingest.Item {
	t.Helper()
	d, err := formats.New(format, options[format])
	if err != nil {
		t.Fatal(err)
	}
	return d.Decode(ingest.Input{Topic: topic, Payload: payload, ReceivedAt: golden.Received})
}

// examples are all of a format, or those of which nothing is refused.
func examples(t *testing.T, format string, good bool) (list []example) {
	t.Helper()
	inputs, _ := filepath.Glob(filepath.Join(format, "testdata", "*", "input.*"))
	for _, input := range inputs {
		payload, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(input)
		topic, _ := os.ReadFile(filepath.Join(dir, "topic.txt"))
		e := example{filepath.Base(dir), strings.TrimSpace(string(topic)), payload}
		items := decode(t, format, e.topic, e.payload)
		if good && (len(items) == 0 || slices.ContainsFunc(items, func(it ingest.Item) bool { return it.Refusal != nil })) {
			continue
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		t.Fatalf("%s has no examples", format)
	}
	return list
}

// truth is what a good payload says: nothing else may come of a broken one.
type truth struct {
	devices   map[devices.ID]bool
	values    map[string]bool
	positions map[devices.Position]bool
	times     map[int64]bool
}

func know(items []ingest.Item) truth {
	k := truth{map[devices.ID]bool{}, map[string]bool{}, map[devices.Position]bool{}, map[int64]bool{}}
	for _, it := range items {
		k.devices[it.Device] = true
		switch {
		case it.Reading != nil:
			k.times[it.Reading.FixTime.UnixMilli()] = true
			if p := it.Reading.Position; p != nil {
				k.positions[*p] = true
			}
			for _, v := range it.Reading.Values {
				k.values[fmt.Sprint(v.Metric, v.Number, v.Quality)] = true
			}
		case it.Event != nil:
			k.times[it.Event.FixTime.UnixMilli()] = true
			if p := it.Event.Position; p != nil {
				k.positions[*p] = true
			}
		}
	}
	return k
}

// lies says what of an item the good payload did not say.
func (k truth) lies(it ingest.Item) string {
	if it.Refusal != nil {
		return ""
	}
	if !k.devices[it.Device] {
		return fmt.Sprintf("device %s", it.Device)
	}
	at, where := int64(0), (*devices.Position)(nil)
	if r := it.Reading; r != nil {
		at, where = r.FixTime.UnixMilli(), r.Position
		for _, v := range r.Values {
			if !k.values[fmt.Sprint(v.Metric, v.Number, v.Quality)] {
				return fmt.Sprintf("value %+v", v)
			}
		}
	} else {
		at, where = it.Event.FixTime.UnixMilli(), it.Event.Position
	}
	if where != nil && !k.positions[*where] {
		return fmt.Sprintf("position %+v", *where)
	}
	// A time that no clock can have is the pipeline's to refuse.
	if b := ingest.DefaultBounds(); !k.times[at] && at < golden.Received.Add(b.Future).UnixMilli() && at > golden.Received.Add(-b.Past).UnixMilli() || at == zero && !k.times[at] {
		return fmt.Sprintf("time %d", at)
	}
	return ""
}

// zero is the time that counts as none given.
const zero = -62135596800000

func TestBrokenInputIsRefusedOrReadAsItWas(t *testing.T) {
	for _, format := range formats.Names() {
		t.Run(format, func(t *testing.T) {
			for _, e := range examples(t, format, true) {
				known := know(decode(t, format, e.topic, e.payload))
				for _, b := range breaks {
					if b.json && !isObject(e.payload) {
						continue
					}
					n := 0
					for topic, payload := range b.vary(e) {
						if n++; bytes.Equal(payload, e.payload) && topic == e.topic {
							continue
						}
						for _, it := range decode(t, format, topic, payload) {
							golden.Check(t, it)
							if why := known.lies(it); !b.anything && why != "" {
								t.Fatalf("%s, %s %d: %s was never said: topic %q, payload %.300q", e.name, b.name, n, why, topic, payload)
							}
							if b.refused && it.Refusal == nil {
								t.Fatalf("%s, %s %d is taken: topic %q, payload %.300q", e.name, b.name, n, topic, payload)
							}
						}
					}
				}
			}
		})
	}
}

// What is kept for replay reads on its own as it did among the others.
func TestRawDecodesOnItsOwn(t *testing.T) {
	for _, format := range formats.Names() {
		for _, e := range examples(t, format, false) {
			items := decode(t, format, e.topic, e.payload)
			for i, it := range items {
				if it.Raw == nil || it.Refusal != nil && it.Refusal.Code == "metric_twice" {
					continue // of two that contradict each other, each alone is sound
				}
				alone := decode(t, format, e.topic, it.Raw)
				same := slices.ContainsFunc(alone, func(a ingest.Item) bool { return say(a) == say(it) })
				if !same || len(alone) > 2 {
					t.Errorf("%s %s, item %d: %q gives %d items, not %s", format, e.name, i+1, it.Raw, len(alone), say(it))
				}
			}
		}
	}
}

func say(it ingest.Item) string {
	switch {
	case it.Refusal != nil:
		// Of a pack the number of the record is part of the words.
		return string(it.Device) + " " + it.Refusal.Code
	case it.Reading != nil:
		r := *it.Reading
		slices.SortFunc(r.Values, func(a, b ingest.Value) int { return strings.Compare(a.Metric, b.Metric) })
		position := ""
		if r.Position != nil {
			position = fmt.Sprint(*r.Position)
		}
		return fmt.Sprint(it.Device, r.FixTime, r.Seq, position, r.Values)
	}
	return fmt.Sprint(it.Device, it.Event.FixTime, it.Event.Type, string(it.Event.Data))
}
