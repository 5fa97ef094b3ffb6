package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats"
)

type decodeCmd struct {
	As     string `required:"" help:"A format (${formats}) or, with --config, the name of a source."`
	Config string `help:"The configuration whose sources are meant." type:"path"`
	Topic  string `help:"The topic it came on; the file's name unless given."`
	File   string `arg:"" help:"The payload; - is standard input."`
}

// decodedValue and decoded are what a payload would become, for people.
type decodedValue struct {
	Value   float64 `json:"value"`
	Unit    string  `json:"unit,omitempty"`
	Quality string  `json:"quality,omitempty"`
}

type decoded struct {
	Device   devices.ID              `json:"device,omitempty"`
	Where    string                  `json:"where,omitempty"`
	TS       *time.Time              `json:"ts,omitempty"`
	Position *devices.Position       `json:"position,omitempty"`
	Values   map[string]decodedValue `json:"values,omitempty"`
	Event    string                  `json:"event,omitempty"`
	Severity string                  `json:"severity,omitempty"`
	Data     json.RawMessage         `json:"data,omitempty"`
	Refused  string                  `json:"refused,omitempty"`
	Code     string                  `json:"code,omitempty"`
}

// run prints one JSON object an item. It fails when nothing could be read.
func (k *decodeCmd) run(out io.Writer) error {
	d, err := k.decoder()
	if err != nil {
		return err
	}
	in := ingest.Input{Topic: k.Topic, ReceivedAt: time.Now()}
	if k.File == "-" {
		in.Payload, err = io.ReadAll(io.LimitReader(os.Stdin, ingest.MaxForeign+1))
	} else {
		if in.Topic == "" {
			in.Topic = filepath.Base(k.File)
		}
		in.Payload, err = os.ReadFile(k.File)
	}
	if err != nil {
		return fmt.Errorf("read payload: %w", err)
	}
	items := d.Decode(in)
	refused := 0
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, it := range items {
		if it.Refusal != nil {
			refused++
		}
		if err := enc.Encode(describe(it)); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		fmt.Fprintln(os.Stderr, "the payload is sound, and nothing of it is kept")
	}
	if refused == len(items) && refused > 0 {
		return fmt.Errorf("nothing of it could be read")
	}
	return nil
}

func (k *decodeCmd) decoder() (ingest.Decoder, error) {
	if k.Config == "" {
		return formats.New(k.As, nil)
	}
	c, err := LoadConfig(k.Config)
	if err != nil {
		return nil, err
	}
	s, err := makeSources(c.Sources)
	if err != nil {
		return nil, err
	}
	if f, ok := s.Format(k.As); ok {
		return f.Decoder, nil
	}
	return nil, fmt.Errorf("%s has no source %q", k.Config, k.As)
}

func describe(it ingest.Item) decoded {
	d := decoded{Device: it.Device, Where: it.Where}
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	switch {
	case it.Refusal != nil:
		d.Refused, d.Code = it.Refusal.Message, it.Refusal.Code
	case it.Reading != nil:
		d.TS, d.Position, d.Values = at(it.Reading.FixTime), it.Reading.Position, map[string]decodedValue{}
		for _, v := range it.Reading.Values {
			q := ""
			if v.Quality != ingest.Good {
				q = v.Quality.String()
			}
			d.Values[v.Metric] = decodedValue{v.Number, it.Units[v.Metric], q}
		}
	case it.Event != nil:
		d.TS, d.Position, d.Event, d.Severity, d.Data = at(it.Event.FixTime), it.Event.Position, it.Event.Type, it.Event.Severity, it.Event.Data
	}
	return d
}
