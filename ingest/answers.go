package ingest

import (
	"context"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/commands"
)

// maxAnswers is how many answers are kept at once.
const maxAnswers = 500

// runAnswers takes what devices say to commands: whatever waits, at once.
func (p *Pipeline) runAnswers(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-p.answers.queue:
			batch := []*work{w}
			for len(batch) < maxAnswers && len(p.answers.queue) > 0 {
				batch = append(batch, <-p.answers.queue)
			}
			p.takeAnswers(ctx, batch)
		}
	}
}

// takeAnswers keeps a batch, trying until it is kept, and acknowledges it. An
// answer that cannot be taken goes on as a dead letter.
func (p *Pipeline) takeAnswers(ctx context.Context, batch []*work) {
	as := make([]commands.Answer, len(batch))
	for i, w := range batch {
		as[i] = commands.Answer{Device: w.id, Leaf: w.Topic[len(DeviceRoot)+strings.IndexByte(w.Topic[len(DeviceRoot):], '/')+1:], Payload: w.Payload, At: w.ReceivedAt}
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		refused, err := p.keepAnswers(ctx, as)
		if err == nil {
			for i, w := range batch {
				p.endAnswer(ctx, w, refused[i])
			}
			return
		}
		p.Log.Error("keep answers to commands", "answers", len(batch), "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done(): // unacknowledged: the devices still have them
			p.metrics.refused.Add(float64(len(batch)))
			return
		}
	}
}

func (p *Pipeline) keepAnswers(ctx context.Context, as []commands.Answer) ([]error, error) {
	if p.Answers == nil {
		refused := make([]error, len(as))
		for i := range refused {
			refused[i] = &devices.FieldError{Field: "topic", Reason: "this server gives no commands"}
		}
		return refused, nil
	}
	return p.Answers(context.WithoutCancel(ctx), as)
}

func (p *Pipeline) endAnswer(ctx context.Context, w *work, refused error) {
	w.lane.leave(w)
	if p.Heard != nil && !w.Retained {
		p.Heard(w.id, w.ReceivedAt)
	}
	if refused == nil {
		p.metrics.stored.Inc()
		w.finish(Outcome{Stored: 1})
		return
	}
	w.elements = []element{{raw: w.Payload, refusal: &Refusal{StageAnswer, "answer_invalid", refused.Error()}}}
	if p.live.add(ctx, w) != nil {
		p.metrics.refused.Inc()
	}
}
