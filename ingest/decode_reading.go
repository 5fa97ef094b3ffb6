package ingest

import (
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// statusQuality reads the device states of Circular 10/2021.
var statusQuality = map[string]Quality{"00": Good, "01": Calibrating, "02": DeviceError}

// decodeReading reads one native reading; members that we do not know are kept
// out and are no error.
func decodeReading(d *jsontext.Decoder, e *element) *Refusal {
	r := &Reading{Seq: NoSeq}
	c := common{seq: NoSeq}
	var status map[string]Quality
	haveValues := false
	refusal := members(d, "a reading", func(name string) *Refusal {
		if ok, refusal := c.member(d, name); ok {
			return refusal
		}
		switch name {
		case "values":
			haveValues = true
			return decodeValues(d, r)
		case "status":
			status = map[string]Quality{}
			return decodeStatus(d, status)
		}
		return skip(d)
	})
	if refusal != nil {
		return refusal
	}
	pos, refusal := c.position()
	if refusal != nil {
		return refusal
	}
	if !haveValues && pos == nil {
		return refuse("values_missing", `a reading needs "values" (an object of numbers) or a position`)
	}
	for i := range r.Values {
		if q, ok := status[r.Values[i].Metric]; ok {
			r.Values[i].Quality = q
		}
	}
	r.FixTime, r.SentAt, r.Seq, r.Position = c.ts, c.sent, c.seq, pos
	e.reading = r
	return nil
}

func decodeValues(d *jsontext.Decoder, r *Reading) *Refusal {
	r.Values = make([]Value, 0, 8)
	return members(d, "values", func(name string) *Refusal {
		if refusal := checkName(name); refusal != nil {
			return refusal
		}
		if d.PeekKind() == 'n' { // null: the sensor has nothing to say
			return skip(d)
		}
		x, refusal := number(d, name)
		if refusal != nil {
			if refusal.Code != "json_invalid" {
				refusal.Message = "values." + refusal.Message
			}
			return refusal
		}
		if len(r.Values) == maxValues {
			return refuse("values_too_many", "a reading may have at most %d values", maxValues)
		}
		r.Values = append(r.Values, Value{Metric: name, Number: x})
		return nil
	})
}

func decodeStatus(d *jsontext.Decoder, status map[string]Quality) *Refusal {
	return members(d, "status", func(name string) *Refusal {
		if d.PeekKind() != '"' {
			return wrongType(d, "status."+name, "a string")
		}
		t, err := d.ReadToken()
		if err != nil {
			return BadJSON(err)
		}
		q, ok := statusQuality[t.String()]
		if !ok {
			return refuse("status_unknown", "status.%.40s is %.20q; known are 00 (measuring), 01 (calibrating), 02 (device error)", name, t.String())
		}
		status[name] = q
		return nil
	})
}

// checkName holds a metric name or event type to visible characters.
func checkName(name string) *Refusal {
	if name == "" || len(name) > maxNameLen || !utf8.ValidString(name) {
		return refuse("name_invalid", "%.80q is not a metric name: 1 to %d bytes of text", name, maxNameLen)
	}
	for _, c := range name {
		if unicode.IsControl(c) || c == utf8.RuneError {
			return refuse("name_invalid", "the name %.80q holds control characters", name)
		}
	}
	return nil
}
