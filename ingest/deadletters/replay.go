package deadletters

import (
	"context"
	"errors"
	"fmt"

	"haidang/devices"
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

// At most so many letters, and bytes of their payloads, are on their way at once.
const (
	window      = 256
	windowBytes = 16 << 20
)

// Replay sends the new dead letters that match through the pipeline again,
// oldest first, with their original times of arrival, and marks each as
// replayed once it came to its end. What is stored already counts as a
// duplicate: doing it twice adds nothing. format finds a decoder by name; false
// leaves letters of a decoder that is gone where they are. Those that fail
// again during the replay are not tried in the same go. A Filter with another
// Status than "new" is a *devices.FieldError.
func (s *Store) Replay(ctx context.Context, f Filter, p Pipeline, format func(name string) (*ingest.Format, bool)) (Replayed, error) {
	f, err := f.only("new", "replayed")
	if err != nil {
		return Replayed{}, err
	}
	var last int64
	if err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(id),0) FROM dead_letter`).Scan(&last); err != nil {
		return Replayed{}, fmt.Errorf("replay dead letters: %w", err)
	}
	fl := &flight{store: s, ends: make(chan end, window)}
	for after := int64(0); ; {
		batch, err := s.next(ctx, f, after, last)
		if err != nil {
			return fl.sum, err
		}
		if len(batch) == 0 {
			return fl.sum, fl.settle(ctx, 0, 0)
		}
		for _, l := range batch {
			after = l.ID
			m := ingest.Message{Source: l.Source, Sender: l.Sender, Topic: l.Topic, ReceivedAt: l.ReceivedAt}
			if l.Format != "" {
				known := false
				if m.Format, known = format(l.Format); !known {
					continue
				}
			}
			if err := fl.settle(ctx, window-1, windowBytes-l.Kept); err != nil {
				return fl.sum, err
			}
			if err := s.whole(ctx, &l); errors.Is(err, devices.ErrNotFound) {
				continue
			} else if err != nil {
				return fl.sum, err
			}
			m.Payload = l.Payload
			m.Done = func(o ingest.Outcome) { fl.ends <- end{l.ID, l.Kept, o} }
			if err := p.Submit(ctx, m); err != nil {
				return fl.sum, fmt.Errorf("replay dead letter %d: %w", l.ID, err)
			}
			fl.letters, fl.bytes = fl.letters+1, fl.bytes+l.Kept
		}
	}
}

// flight is what of a replay is on its way, and what became of the others.
type flight struct {
	store          *Store
	ends           chan end // has room for all on their way
	letters, bytes int
	sum            Replayed
}

type end struct {
	id      int64
	bytes   int
	outcome ingest.Outcome
}

// settle waits for ends until no more letters and bytes than given are on their
// way, or no letter is. Those that came to their end together are marked so.
func (fl *flight) settle(ctx context.Context, letters, bytes int) error {
	for fl.letters > letters || fl.letters > 0 && fl.bytes > bytes {
		var ids []int64
		select {
		case e := <-fl.ends:
			ids = fl.land(ids, e)
		case <-ctx.Done():
			return ctx.Err()
		}
		for range len(fl.ends) {
			ids = fl.land(ids, <-fl.ends)
		}
		if err := fl.store.MarkReplayed(ctx, ids...); err != nil {
			return err
		}
	}
	return nil
}

// land takes a letter off its way.
func (fl *flight) land(ids []int64, e end) []int64 {
	fl.letters, fl.bytes = fl.letters-1, fl.bytes-e.bytes
	fl.sum.add(e.outcome)
	return append(ids, e.id)
}

func (r *Replayed) add(o ingest.Outcome) {
	r.Letters++
	r.Stored += o.Stored
	r.Duplicates += o.Duplicates
	r.DeadLetters += len(o.DeadLetters)
}

// next reads the heads of the next letters to replay: those cut at the payload
// bound are left out, for they are not whole.
func (s *Store) next(ctx context.Context, f Filter, after, last int64) ([]ingest.DeadLetter, error) {
	where, args := f.where()
	return s.heads(ctx, `WHERE `+where+` AND id > ? AND id <= ? AND size = `+kept+` ORDER BY id LIMIT ?`, append(args, after, last, page)...)
}
