package ingest

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

var severities = map[string]bool{"": true, "critical": true, "major": true, "minor": true, "info": true}

// decodeEvent reads one native event.
func decodeEvent(d *jsontext.Decoder, e *element) *Refusal {
	ev := &Event{}
	c := common{seq: NoSeq}
	refusal := members(d, "an event", func(name string) *Refusal {
		if ok, refusal := c.member(d, name); ok {
			return refusal
		}
		switch name {
		case "type", "severity":
			if d.PeekKind() != '"' {
				return wrongType(d, name, "a string")
			}
			t, err := d.ReadToken()
			if err != nil {
				return BadJSON(err)
			}
			if name == "type" {
				ev.Type = intern(t.String())
				return checkName(ev.Type)
			}
			ev.Severity = t.String()
			if !severities[ev.Severity] {
				return refuse("severity_unknown", "severity %.20q is unknown; known are critical, major, minor, info", ev.Severity)
			}
			return nil
		case "data":
			v, err := d.ReadValue()
			if err != nil {
				return BadJSON(err)
			}
			if v.Kind() != '{' {
				return refuse("type_wrong", "data must be an object, not %s", kindName(v.Kind()))
			}
			if len(v) > maxData {
				return refuse("data_too_large", "data has %d bytes; at most %d are taken", len(v), maxData)
			}
			ev.Data = bytes.Clone(v)
			return nil
		}
		return skip(d)
	})
	if refusal != nil {
		return refusal
	}
	if ev.Type == "" {
		return refuse("type_missing", `an event needs a "type"`)
	}
	if ev.Position, refusal = c.position(); refusal != nil {
		return refusal
	}
	ev.FixTime = c.ts
	e.event = ev
	return nil
}
