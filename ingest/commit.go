package ingest

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"haidang/devices"
)

// Run commits what is queued until ctx ends, then what is still queued, and
// returns. A batch is whatever waits when the last commit ends: a lone reading
// waits for nothing, and a flood is cheap.
func (p *Pipeline) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return p.runReports(ctx) })
	for {
		select {
		case w := <-p.queue:
			p.commit(ctx, p.gather(w))
		case <-ctx.Done():
			for len(p.queue) > 0 {
				p.commit(ctx, p.gather(<-p.queue))
			}
			return g.Wait()
		}
	}
}

func (p *Pipeline) gather(first *work) []*work {
	batch := []*work{first}
	n := len(first.elements)
	for n < maxBatch {
		select {
		case w := <-p.queue:
			batch = append(batch, w)
			n += len(w.elements)
		default:
			return batch
		}
	}
	return batch
}

// commit keeps a batch and then, and only then, acknowledges it. While the disk
// does not take it, it is tried again: unacknowledged messages are the senders'
// to keep, and slow them down.
func (p *Pipeline) commit(ctx context.Context, batch []*work) {
	began := time.Now()
	var entries []Entry
	var letters []DeadLetter
	for _, w := range batch {
		for i := range w.elements {
			if e := &w.elements[i]; e.refusal != nil {
				letters = append(letters, deadLetter(w, e))
			} else {
				entries = append(entries, Entry{Reading: e.reading, Event: e.event})
			}
		}
	}
	var stored []bool
	lettersKept := len(letters) == 0
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		// Storage outlives ctx: what was taken in is brought to its end.
		var err error
		if !lettersKept {
			if err = p.DeadLetters.Add(context.WithoutCancel(ctx), letters); err == nil {
				lettersKept = true
			}
		}
		if err == nil {
			if stored, err = p.Journal.Append(context.WithoutCancel(ctx), entries); err == nil {
				break
			}
		}
		p.metrics.commitErrors.Inc()
		p.Log.Error("keep batch; nothing is acknowledged until it succeeds", "entries", len(entries), "dead_letters", len(letters), "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			p.metrics.refused.Add(float64(len(batch)))
			return // unacknowledged: the sender still has it
		}
	}
	p.metrics.commitSeconds.Observe(time.Since(began).Seconds())
	p.metrics.batchSize.Observe(float64(len(entries)))
	p.conclude(batch, stored, letters)
}

// conclude tells each message's sender its end.
func (p *Pipeline) conclude(batch []*work, stored []bool, letters []DeadLetter) {
	total, dups := 0, 0
	for _, w := range batch {
		var o Outcome
		for i := range w.elements {
			if w.elements[i].refusal != nil {
				o.DeadLetters = append(o.DeadLetters, letters[0])
				letters = letters[1:]
				continue
			}
			if stored[0] {
				o.Stored++
			} else {
				o.Duplicates++
			}
			stored = stored[1:]
		}
		total += o.Stored
		dups += o.Duplicates
		w.finish(o)
		for _, dl := range o.DeadLetters {
			p.metrics.deadLetter(dl)
			if p.Tell != nil && dl.Device != "" {
				p.Tell(dl)
			}
		}
	}
	p.metrics.stored.Add(float64(total))
	p.metrics.duplicates.Add(float64(dups))
}

func deadLetter(w *work, e *element) DeadLetter {
	return DeadLetter{ReceivedAt: w.ReceivedAt.UTC(), Source: w.Source, Topic: w.Topic, Device: w.id,
		Stage: e.refusal.Stage, Code: e.refusal.Code, Message: e.refusal.Message,
		Payload: e.raw[:min(len(e.raw), MaxPayload)], Size: len(e.raw), Status: "new"}
}

// runReports takes field reports one by one: they are few, may carry photos,
// and must not hold up readings.
func (p *Pipeline) runReports(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-p.reports:
			p.takeReport(ctx, w)
		}
	}
}

func (p *Pipeline) takeReport(ctx context.Context, w *work) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		var err error = &devices.FieldError{Field: "topic", Reason: "this server does not take reports over MQTT"}
		if p.Report != nil {
			err = p.Report(ctx, w.Payload)
		}
		if err == nil {
			p.metrics.stored.Inc()
			w.finish(Outcome{Stored: 1})
			return
		}
		if fe, ok := errors.AsType[*devices.FieldError](err); ok {
			w.elements = []element{{raw: w.Payload, refusal: &Refusal{StageReport, "report_invalid", fe.Error()}}}
			select {
			case p.queue <- w:
			case <-ctx.Done():
			}
			return
		}
		p.Log.Error("take report", "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}
