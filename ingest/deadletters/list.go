package deadletters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// HeadBytes is how much of a payload a list carries.
const HeadBytes = 4 << 10

// page is how many heads are read at once on the way through all letters.
const page = 256

// kept is how many bytes of a payload are there. SQLite knows the lengths
// without reading the values.
const kept = `length(head) + length(rest)`

// heads reads letters with the first HeadBytes of their payloads. what follows
// FROM dead_letter.
func (s *Store) heads(ctx context.Context, what string, args ...any) (items []ingest.DeadLetter, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id,received_at,source,sender,topic,format,version,device,stage,code,message,size,status,discarded_at,`+kept+`,head
		FROM dead_letter `+what, args...)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l ingest.DeadLetter
		var at, discarded int64
		if err := rows.Scan(&l.ID, &at, &l.Source, &l.Sender, &l.Topic, &l.Format, &l.Version, &l.Device, &l.Stage, &l.Code, &l.Message, &l.Size, &l.Status, &discarded, &l.Kept, &l.Payload); err != nil {
			return nil, fmt.Errorf("read dead letters: %w", err)
		}
		l.ReceivedAt = time.UnixMilli(at).UTC()
		if discarded > 0 {
			l.DiscardedAt = time.UnixMilli(discarded).UTC()
		}
		items = append(items, l)
	}
	return items, rows.Err()
}

// whole completes a letter's payload, or is devices.ErrNotFound when it went
// since its head was read.
func (s *Store) whole(ctx context.Context, l *ingest.DeadLetter) error {
	if len(l.Payload) == l.Kept {
		return nil
	}
	var rest []byte
	err := s.db.QueryRowContext(ctx, `SELECT rest FROM dead_letter WHERE id = ?`, l.ID).Scan(&rest)
	if errors.Is(err, sql.ErrNoRows) {
		err = devices.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("dead letter %d: %w", l.ID, err)
	}
	l.Payload = append(l.Payload, rest...)
	return nil
}

// List returns dead letters, newest first, with no more than HeadBytes of each
// payload; next continues below the last one and is 0 at the end.
func (s *Store) List(ctx context.Context, f Filter) (items []ingest.DeadLetter, next int64, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	where, args := f.where()
	items, err = s.heads(ctx, `WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit+1)...)
	if len(items) > limit {
		items = items[:limit]
		next = items[limit-1].ID
	}
	return items, next, err
}

// All gives all that match, newest first, with whole payloads. Memory holds one
// of those at a time, and the file is free between them, however slow the
// reader is. An error is the last thing given.
func (s *Store) All(ctx context.Context, f Filter) iter.Seq2[ingest.DeadLetter, error] {
	return func(yield func(ingest.DeadLetter, error) bool) {
		for f.Limit = page; ; {
			ls, next, err := s.List(ctx, f)
			if err != nil {
				yield(ingest.DeadLetter{}, err)
				return
			}
			for _, l := range ls {
				err := s.whole(ctx, &l)
				if errors.Is(err, devices.ErrNotFound) {
					continue
				}
				if !yield(l, err) || err != nil {
					return
				}
			}
			if f.Before = next; next == 0 {
				return
			}
		}
	}
}

// Get returns one dead letter with its whole payload, or devices.ErrNotFound.
func (s *Store) Get(ctx context.Context, id int64) (ingest.DeadLetter, error) {
	ls, err := s.heads(ctx, `WHERE id = ?`, id)
	if err != nil {
		return ingest.DeadLetter{}, err
	}
	if len(ls) == 0 {
		return ingest.DeadLetter{}, fmt.Errorf("dead letter %d: %w", id, devices.ErrNotFound)
	}
	err = s.whole(ctx, &ls[0])
	return ls[0], err
}
