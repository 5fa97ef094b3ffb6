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
	To     time.Time  `help:"Fix times before this (RFC 3339); now unless given." format:"2006-01-02T15:04:05Z07:00"`
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
		rs, next, err := j.Readings(ctx, q)
		if err != nil {
			return err
		}
		for i := range rs {
			if err := enc.Encode(plain(&rs[i])); err != nil {
				return fmt.Errorf("print readings: %w", err)
			}
		}
		if q.Cursor = next; next == "" {
			return w.Flush()
		}
	}
}

func plain(r *ingest.Reading) printed {
	p := printed{TS: r.FixTime, Received: r.ReceivedAt, Position: r.Position, Values: map[string]float64{}, Lateness: r.Lateness.String()}
	if r.Seq != ingest.NoSeq {
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
