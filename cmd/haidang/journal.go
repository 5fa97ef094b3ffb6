package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/journal"
)

type journalCmd struct {
	Data   string     `required:"" help:"The data folder; the program that uses it must be stopped." type:"path"`
	Device devices.ID `arg:"" help:"Whose readings."`
	From   time.Time  `help:"Fix times from here on (RFC 3339)." format:"2006-01-02T15:04:05Z07:00"`
	Events bool       `help:"Its events instead of its readings."`
	To     time.Time  `help:"Fix times before this (RFC 3339); now unless given." format:"2006-01-02T15:04:05Z07:00"`
}

// printedEvent is one event as the command prints it, a line each.
type printedEvent struct {
	TS       time.Time         `json:"ts"`
	Received time.Time         `json:"received_at"`
	Type     string            `json:"type"`
	Severity string            `json:"severity,omitempty"`
	Position *devices.Position `json:"position,omitempty"`
	Data     json.RawMessage   `json:"data,omitempty"`
	Lateness string            `json:"lateness"`
}

// printed is one reading as the command prints it, a line each.
type printed struct {
	TS       time.Time          `json:"ts"`
	Received time.Time          `json:"received_at"`
	Seq      *int64             `json:"seq,omitempty"`
	Position *devices.Position  `json:"position,omitempty"`
	Values   map[string]float64 `json:"values,omitempty"`
	Quality  map[string]string  `json:"quality,omitempty"` // of the values that are not good
	Lateness string             `json:"lateness"`
}

func (k *journalCmd) run(ctx context.Context, out io.Writer) error {
	release, err := lockFolder(k.Data)
	if err != nil {
		return err
	}
	defer release()
	j, err := journal.Open(ctx, k.Data+"/journal")
	if err != nil {
		return err
	}
	defer j.Close()
	if k.To.IsZero() {
		k.To = time.Now().Add(time.Hour) // clocks ahead
	}
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	q := ingest.ReadingsQuery{Device: k.Device, From: k.From, To: k.To, Limit: 10_000}
	for {
		items, next, err := k.page(ctx, j, q)
		if err != nil {
			return err
		}
		for _, x := range items {
			if err := enc.Encode(x); err != nil {
				return fmt.Errorf("print the journal: %w", err)
			}
		}
		if q.Cursor = next; next == "" {
			return w.Flush()
		}
	}
}

func (k *journalCmd) page(ctx context.Context, j *journal.Journal, q ingest.ReadingsQuery) (items []any, next string, err error) {
	if k.Events {
		es, next, err := j.Events(ctx, q)
		for i := range es {
			e := &es[i]
			items = append(items, printedEvent{e.FixTime, e.ReceivedAt, e.Type, e.Severity, e.Position, e.Data, e.Lateness.String()})
		}
		return items, next, err
	}
	rs, next, err := j.Readings(ctx, q)
	for i := range rs {
		items = append(items, plain(&rs[i]))
	}
	return items, next, err
}

func plain(r *ingest.Reading) printed {
	p := printed{TS: r.FixTime, Received: r.ReceivedAt, Position: r.Position, Values: map[string]float64{}, Lateness: r.Lateness.String()}
	if r.Seq >= 0 {
		p.Seq = &r.Seq
	}
	for _, v := range r.Values {
		p.Values[v.Metric] = v.Number
		if v.Quality != ingest.Good {
			if p.Quality == nil {
				p.Quality = map[string]string{}
			}
			p.Quality[v.Metric] = v.Quality.String()
		}
	}
	return p
}
