// Package lineprotocol reads InfluxDB's line protocol, so that Telegraf and any
// InfluxDB client can point at us unchanged. Each line is a reading of the
// device that its tag names; text fields are left out; a line in error is
// refused alone.
package lineprotocol

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Options say whose a line is.
type Options struct {
	// Tags are tried in turn for the device's name; "device" and "host" unless
	// given.
	Tags   []string `toml:"tags"`
	Prefix string   `toml:"prefix"` // put before the name
}

// Decoder reads line protocol; build it with New.
type Decoder struct{ o Options }

type tag struct{ key, value string }

// maxLines bounds one payload.
const maxLines = 50_000

// New makes a decoder.
func New(o Options) *Decoder {
	if len(o.Tags) == 0 {
		o.Tags = []string{"device", "host"}
	}
	return &Decoder{o}
}

// Decode implements ingest.Decoder; the topic's query may say precision=ns, us,
// ms or s.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	unit, r := precision(in.Topic)
	if r != nil {
		return object.One(r)
	}
	var items []ingest.Item
	n := 1
	for rest := in.Payload; len(rest) > 0; {
		end := lineEnd(rest)
		line, at := bytes.TrimSpace(rest[:end]), n
		n += bytes.Count(rest[:end], []byte("\n"))
		rest = rest[end:]
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if len(items) == maxLines {
			return object.One(object.Refuse("payload_too_long", "at most %d lines are taken at once", maxLines))
		}
		it := ingest.Item{Raw: line, Where: "line " + strconv.Itoa(at)}
		if r := object.Encoding(line); r != nil {
			it.Refusal = r
		} else if r := d.line(string(line), unit, &it); r != nil {
			it.Reading, it.Refusal = nil, r
		}
		items = append(items, it)
	}
	return items
}

func precision(topic string) (time.Duration, *ingest.Refusal) {
	_, query, _ := strings.Cut(topic, "?")
	q, _ := url.ParseQuery(query)
	switch p := q.Get("precision"); p {
	case "", "ns", "n":
		return time.Nanosecond, nil
	case "us", "u":
		return time.Microsecond, nil
	case "ms":
		return time.Millisecond, nil
	case "s":
		return time.Second, nil
	default:
		return 0, object.Refuse("precision_unknown", "precision %.20q is unknown; known are ns, us, ms, s", p)
	}
}

func (d *Decoder) line(s string, unit time.Duration, it *ingest.Item) *ingest.Refusal {
	measurement, rest := until(s, ", ")
	if measurement == "" {
		return object.Refuse("measurement_missing", "the measurement is missing")
	}
	var tags []tag
	for strings.HasPrefix(rest, ",") {
		var t tag
		if t.key, rest = until(rest[1:], "=, "); !strings.HasPrefix(rest, "=") || t.key == "" {
			return object.Refuse("tag_invalid", "the tag %.40q has no value", t.key)
		}
		if t.value, rest = until(rest[1:], ", "); t.value == "" {
			return object.Refuse("tag_invalid", "the tag %.40q has no value", t.key)
		}
		tags = append(tags, t)
	}
	// In the order of their keys, which not every client keeps: the metric's
	// name is made of them.
	slices.SortStableFunc(tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	for i := 1; i < len(tags); i++ {
		if tags[i].key == tags[i-1].key {
			return object.Refuse("tag_twice", "the tag %.40q is given twice", tags[i].key)
		}
	}
	who := -1
	for _, name := range d.o.Tags {
		if who < 0 {
			who = slices.IndexFunc(tags, func(t tag) bool { return t.key == name })
		}
	}
	if who < 0 {
		return object.Refuse("device_missing", "no tag says which device it is; one of %s is wanted", strings.Join(d.o.Tags, ", "))
	}
	var r *ingest.Refusal
	if it.Device, r = object.DeviceID(d.o.Prefix, tags[who].value); r != nil {
		return r
	}
	// A line that names a device is one of its type, as we write them ourselves;
	// of a host there are many measurements.
	var prefix strings.Builder
	if tags[who].key != "device" {
		prefix.WriteString(measurement + "_")
	}
	for i, t := range tags {
		if i != who && t.key != "area" {
			prefix.WriteString(t.value + "_")
		}
	}
	it.Reading = &ingest.Reading{Seq: ingest.NoSeq}
	return fields(strings.TrimLeft(rest, " "), prefix.String(), unit, it.Reading)
}

func fields(rest, prefix string, unit time.Duration, rd *ingest.Reading) *ingest.Refusal {
	if rest == "" {
		return object.Refuse("fields_missing", "there are no fields")
	}
	for {
		var key, word string
		if key, rest = until(rest, "=, "); !strings.HasPrefix(rest, "=") || key == "" {
			return object.Refuse("field_invalid", "the field %.40q has no value", key)
		}
		rest = rest[1:]
		if strings.HasPrefix(rest, `"`) {
			end := textEnd(rest[1:])
			if end < 0 {
				return object.Refuse("field_invalid", "the text of field %.40q does not end", key)
			}
			rest = rest[1+end:] // text is left out
		} else {
			word, rest = until(rest, ", ")
			x, r := number(key, word)
			if r == nil {
				r = object.Add(&rd.Values, prefix+key, x)
			}
			if r != nil {
				return r
			}
		}
		if !strings.HasPrefix(rest, ",") {
			break
		}
		rest = rest[1:]
	}
	if len(rd.Values) == 0 {
		return object.Refuse("values_missing", "there is no number in it")
	}
	return stamp(strings.TrimSpace(rest), unit, rd)
}

func number(key, word string) (float64, *ingest.Refusal) {
	switch word {
	case "t", "T", "true", "True", "TRUE":
		return 1, nil
	case "f", "F", "false", "False", "FALSE":
		return 0, nil
	}
	if n := len(word) - 1; n > 0 && (word[n] == 'i' || word[n] == 'u') {
		var x float64
		var err error
		if word[n] == 'i' {
			var whole int64
			whole, err = strconv.ParseInt(word[:n], 10, 64)
			x = float64(whole)
		} else {
			var whole uint64
			whole, err = strconv.ParseUint(word[:n], 10, 64)
			x = float64(whole)
		}
		if err != nil {
			return 0, object.Refuse("number_invalid", "field %.40q: %.40q is no whole number of 64 bits", key, word)
		}
		return x, nil
	}
	x, ok := object.Decimal(word)
	if !ok {
		return 0, object.Refuse("number_invalid", "field %.40q: %.40q is no number", key, word)
	}
	return x, nil
}

func stamp(word string, unit time.Duration, rd *ingest.Reading) *ingest.Refusal {
	if word == "" {
		return nil
	}
	x, err := strconv.ParseInt(word, 10, 64)
	if err != nil || x > int64(1<<63-1)/int64(unit) || x < -int64(1<<63-1)/int64(unit) {
		return object.Refuse("ts_invalid", "%s", fmt.Sprintf("%.40q is not a time in units of %s since 1970", word, unit))
	}
	rd.FixTime = time.Unix(0, x*int64(unit)).UTC().Truncate(time.Millisecond)
	return nil
}
