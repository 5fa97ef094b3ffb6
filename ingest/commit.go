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
// waits for nothing, and a flood is cheap. Backfill has lanes of its own, and
// comes in short batches: along with what is live, in the same sync of the
// disk, or by itself while nothing live waits, or when too much of it does or for
// too long.
func (p *Pipeline) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return p.runReports(ctx) })
	g.Go(func() error { return p.runAnswers(ctx) })
	pace := newPace(time.Now())
	for {
		batch, wait := p.next(pace, time.Now())
		if len(batch) > 0 {
			p.commit(ctx, batch)
		} else if !p.wait(ctx, wait) {
			p.drain(ctx)
			return g.Wait()
		}
	}
}

// next is what to commit now. If that is nothing, backfill that waits may be
// kept after wait, if that is not 0.
func (p *Pipeline) next(pace *pace, now time.Time) (batch []part, wait time.Duration) {
	if batch = p.live.take(maxBatch, false); len(batch) > 0 {
		pace.heard(now)
	}
	if n := p.bulk.waiting(); pace.turn(len(batch) == 0, n, now) {
		batch = append(batch, p.bulk.take(pace.most(n, now), true)...)
	}
	if n := p.patient.waiting(); n > 0 {
		var most int
		if most, wait = pace.allows(len(batch) == 0, n, now); most > 0 {
			behind := p.patient.take(most, true)
			pace.spend(elements(behind))
			batch = append(batch, behind...)
		}
	}
	return batch, wait
}

// wait returns when something came, or when backfill that waits may be kept
// after pause; false when ctx ended.
func (p *Pipeline) wait(ctx context.Context, pause time.Duration) bool {
	patient := p.patient.queue
	var over <-chan time.Time
	if pause > 0 {
		patient, over = nil, time.After(pause)
	}
	select {
	case w := <-p.live.queue:
		p.live.put(w)
	case w := <-p.bulk.queue:
		p.bulk.put(w)
	case w := <-patient:
		p.patient.put(w)
	case <-over:
	case <-ctx.Done():
		return false
	}
	return true
}

// drain commits what is queued when the program ends.
func (p *Pipeline) drain(ctx context.Context) {
	for _, l := range []*lane{p.live, p.bulk, p.patient} {
		for l.waiting() > 0 {
			p.commit(ctx, l.take(maxBatch, false))
		}
	}
}

func elements(batch []part) (n int) {
	for _, b := range batch {
		n += len(b.elements)
	}
	return n
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
		b.w.lane.leave(b.w)
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
		Payload: e.raw[:min(len(e.raw), MaxForeign)], Size: max(len(e.raw), int(w.size)), Status: "new"}
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
		case w := <-p.reports.queue:
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
			w.lane.leave(w)
			w.finish(Outcome{Stored: 1})
			return
		}
		if fe, ok := errors.AsType[*devices.FieldError](err); ok {
			w.elements = []element{{raw: w.Payload, refusal: &Refusal{StageReport, "report_invalid", fe.Error()}}}
			w.lane.leave(w)
			if p.live.add(ctx, w) != nil {
				p.metrics.refused.Inc()
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
