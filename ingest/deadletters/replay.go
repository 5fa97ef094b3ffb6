package deadletters

import (
	"context"
	"fmt"

	"haidang/ingest"
)

// Pipeline takes messages to their end.
type Pipeline interface {
	Submit(context.Context, ingest.Message) error
}

// Replayed says what became of a replay.
type Replayed struct {
	Letters    int `json:"letters"` // sent through the pipeline again
	Stored     int `json:"stored"`
	Duplicates int `json:"duplicates"`
	// DeadLetters could not be taken again; each is a new dead letter.
	DeadLetters int `json:"dead_letters"`
}

// window is how many letters are on their way at once.
const window = 256

// Replay sends the new dead letters that match through the pipeline again,
// oldest first, with their original times of arrival, and marks each as
// replayed once it came to its end. What is stored already counts as a
// duplicate: doing it twice adds nothing. format finds a decoder by name; false
// leaves letters of a decoder that is gone where they are. Those that fail
// again during the replay are not tried in the same go.
func (s *Store) Replay(ctx context.Context, f Filter, p Pipeline, format func(name string) (*ingest.Format, bool)) (Replayed, error) {
	var sum Replayed
	f.Status = "new"
	var last int64
	if err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(id),0) FROM dead_letter`).Scan(&last); err != nil {
		return sum, fmt.Errorf("replay dead letters: %w", err)
	}
	for after := int64(0); ; {
		batch, err := s.next(ctx, f, after, last)
		if err != nil || len(batch) == 0 {
			return sum, err
		}
		after = batch[len(batch)-1].ID
		ends := make(chan end, len(batch))
		sent := 0
		for _, l := range batch {
			m := ingest.Message{Source: l.Source, Sender: l.Sender, Topic: l.Topic, Payload: l.Payload, ReceivedAt: l.ReceivedAt,
				Done: func(o ingest.Outcome) { ends <- end{l.ID, o} }}
			if l.Format != "" {
				known := false
				if m.Format, known = format(l.Format); !known {
					continue
				}
			}
			if err := p.Submit(ctx, m); err != nil {
				return sum, fmt.Errorf("replay dead letter %d: %w", l.ID, err)
			}
			sent++
		}
		for range sent {
			select {
			case e := <-ends:
				if err := s.MarkReplayed(ctx, e.id); err != nil {
					return sum, err
				}
				sum.add(e.outcome)
			case <-ctx.Done():
				return sum, ctx.Err()
			}
		}
	}
}

type end struct {
	id      int64
	outcome ingest.Outcome
}

func (r *Replayed) add(o ingest.Outcome) {
	r.Letters++
	r.Stored += o.Stored
	r.Duplicates += o.Duplicates
	r.DeadLetters += len(o.DeadLetters)
}

// next reads the next letters to replay: those cut at the payload bound are
// left out, for they are not whole.
func (s *Store) next(ctx context.Context, f Filter, after, last int64) ([]ingest.DeadLetter, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM dead_letter WHERE `+where+` AND id > ? AND id <= ? AND size = length(payload)
		ORDER BY id LIMIT ?`, append(args, after, last, window)...)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer rows.Close()
	var batch []ingest.DeadLetter
	for rows.Next() {
		l, err := scan(rows)
		if err != nil {
			return nil, err
		}
		batch = append(batch, l)
	}
	return batch, rows.Err()
}
