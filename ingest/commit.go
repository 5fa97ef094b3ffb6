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
// waits for nothing, and a flood is cheap. Backfill has a lane of its own, in
// short batches and only while nothing live waits.
func (p *Pipeline) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return p.runReports(ctx) })
	var rest []part // of the bulk lane, cut off where its last batch was full
	for {
		var first *work
		fromBulk := false
		select {
		case first = <-p.queue:
		default:
			if len(rest) > 0 {
				fromBulk = true
				break
			}
			select {
			case first = <-p.queue:
			case first = <-p.bulk:
				fromBulk = true
			case <-ctx.Done():
				p.drain(ctx)
				return g.Wait()
			}
		}
		if !fromBulk {
			batch, _ := gather(p.queue, whole(first), maxBatch, false)
			p.commit(ctx, batch)
			continue
		}
		if first != nil {
			rest = whole(first)
		}
		var batch []part
		batch, rest = gather(p.bulk, rest, bulkBatch, true)
		p.commit(ctx, batch)
		if ctx.Err() != nil && len(rest) > 0 {
			p.metrics.refused.Inc() // its sender keeps it and sends it again
			rest = nil
		}
	}
}

// drain commits what is queued when the program ends.
func (p *Pipeline) drain(ctx context.Context) {
	for _, q := range []chan *work{p.queue, p.bulk} {
		for len(q) > 0 {
			batch, _ := gather(q, whole(<-q), maxBatch, false)
			p.commit(ctx, batch)
		}
	}
}

// bulkBatch is the most entries of backfill in one commit: what a live reading
// has to wait for at most.
const bulkBatch = 250

// part is some of a message's elements: a message of the bulk lane can be
// longer than a batch.
type part struct {
	w        *work
	elements []element
}

func whole(w *work) []part {
	w.left = len(w.elements)
	return []part{{w, w.elements}}
}

// gather fills a batch from batch and then from q, up to most elements. With
// cut it takes no more than that, and returns what is left of the last part;
// without, the last message is taken whole.
func gather(q chan *work, batch []part, most int, cut bool) (full, rest []part) {
	n := 0
	for i := 0; ; i++ {
		if i == len(batch) {
			select {
			case w := <-q:
				batch = append(batch, whole(w)...)
			default:
				return batch, nil
			}
		}
		b := &batch[i]
		if cut && n+len(b.elements) > most {
			tail := part{b.w, b.elements[most-n:]}
			b.elements = b.elements[:most-n]
			return batch[:i+1], []part{tail}
		}
		if n += len(b.elements); n >= most {
			return batch[:i+1], batch[i+1:]
		}
	}
}

// commit keeps a batch and then, and only then, acknowledges it. While the disk
// does not take it, it is tried again: unacknowledged messages are the senders'
// to keep, and slow them down.
func (p *Pipeline) commit(ctx context.Context, batch []part) {
	began := time.Now()
	var entries []Entry
	var letters []DeadLetter
	for _, b := range batch {
		for i := range b.elements {
			if e := &b.elements[i]; e.refusal != nil {
				letters = append(letters, p.deadLetter(b.w, e))
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
				p.trouble.Store(nil)
				break
			}
		}
		p.metrics.commitErrors.Inc()
		since := time.Now()
		if t := p.trouble.Load(); t != nil {
			since = t.Since
		}
		p.trouble.Store(&Trouble{since, err})
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

// conclude tells each message's sender its end, once all its parts are kept.
func (p *Pipeline) conclude(batch []part, stored []bool, letters []DeadLetter) {
	p.census.take(batch, stored, time.Now())
	total, dups := 0, 0
	for _, b := range batch {
		o := &b.w.outcome
		for i := range b.elements {
			if b.elements[i].refusal != nil {
				o.DeadLetters = append(o.DeadLetters, letters[0])
				letters = letters[1:]
				continue
			}
			if stored[0] {
				o.Stored++
				total++
			} else {
				o.Duplicates++
				dups++
			}
			stored = stored[1:]
		}
		if b.w.left -= len(b.elements); b.w.left > 0 {
			continue
		}
		p.room.Release(b.w.room)
		b.w.finish(*o)
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

func (p *Pipeline) deadLetter(w *work, e *element) DeadLetter {
	d := DeadLetter{ReceivedAt: w.ReceivedAt.UTC(), Source: w.Source, Sender: w.Sender, Topic: w.Topic, Device: w.id, Version: p.Version,
		Stage: e.refusal.Stage, Code: e.refusal.Code, Message: e.refusal.Message,
		Payload: e.raw[:min(len(e.raw), MaxForeign)], Size: len(e.raw), Status: "new"}
	if e.id != "" {
		d.Device = e.id
	}
	if w.Format != nil {
		d.Format, d.Version = w.Format.Name, w.Format.Version
	}
	return d
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
			p.room.Release(w.room)
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
