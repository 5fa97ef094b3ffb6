package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"haidang/devices"
	"haidang/devices/commands"
	"haidang/devices/personal"
	"haidang/devices/retention"
	"haidang/ingest"
	"haidang/ingest/deadletters"
	"haidang/ingest/journal"
	"haidang/ingest/media"
	"haidang/ingest/reports"
	"haidang/ingest/rollup"
)

// The stores' shares of the retention classes.

func (k *keeping) typeOf(id devices.ID) devices.TypeID {
	if d, ok := k.registry.Get(id); ok {
		return d.Type
	}
	return ""
}

// held says whether a hold keeps what a device sent between two times, ms.
func (k *keeping) held(id devices.ID, first, last int64) bool {
	return slices.ContainsFunc(k.store.HeldOf(id), func(s retention.Span) bool { return s.From <= last && s.To > first })
}

func (k *keeping) heldAt(id devices.ID, at int64) bool { return k.held(id, at, at) }

// expiring is the part of a store that tells of what goes, and what would, step
// by step: expiry says what of a cut that is, lot how much a step was.
func expiring[X, E any](class string, expiry func(retention.Cut) X, lot func(E) retention.Lot,
	would func(context.Context, X, func(E)) error, remove func(context.Context, X, func(E) error) error) retention.Part {
	return retention.Part{Class: class,
		Plan: func(ctx context.Context, c retention.Cut) (ls retention.Lots, err error) {
			err = would(ctx, expiry(c), func(e E) { ls.Add(lot(e)) })
			return ls, err
		},
		Remove: func(ctx context.Context, c retention.Cut, step func(retention.Lot) error) error {
			return remove(ctx, expiry(c), func(e E) error { return step(lot(e)) })
		}}
}

// entries is the journal's part of a class: vessels' tracks, or the others'.
func (k *keeping) entries(class string) retention.Part {
	expiry := func(c retention.Cut) journal.Expiry {
		_, unmade := k.rollups.Waiting()
		return journal.Expiry{Held: k.held, Before: func(id devices.ID) time.Time {
			t := k.typeOf(id)
			// What once was a vessel's track stays one.
			vessel := k.journal.Chained(id) || retention.IsVessel(t)
			if vessel != (class == retention.VesselTracks) {
				return time.Time{}
			}
			b := c.Before(t)
			if !unmade.IsZero() && b.After(unmade) {
				b = unmade // figures of that hour are still to be made
			}
			return b
		}}
	}
	lot := func(e journal.Expired) retention.Lot {
		what := "reading"
		if e.Event {
			what = "event"
		}
		return retention.NewLot(what, k.typeOf(e.Device), e.Entries, e.Bytes, e.Oldest, e.Newest)
	}
	part := expiring(class, expiry, lot, k.journal.WouldExpire, k.journal.Expire)
	part.Waits = k.untaken
	return part
}

// plates are what tells a person in events.
func (k *keeping) plates() retention.Part {
	expiry := func(c retention.Cut) journal.Expiry {
		return journal.Expiry{Held: k.held, Before: func(id devices.ID) time.Time { return c.Before(k.typeOf(id)) }}
	}
	lot := func(e journal.Expired) retention.Lot {
		return retention.NewLot("event", k.typeOf(e.Device), e.Entries, 0, e.Oldest, e.Newest)
	}
	return expiring(retention.Plates, expiry, lot, func(ctx context.Context, x journal.Expiry, fn func(journal.Expired)) error {
		return k.journal.WouldMask(ctx, x, maskEvent, fn)
	}, func(ctx context.Context, x journal.Expiry, step func(journal.Expired) error) error {
		return k.journal.Mask(ctx, x, maskEvent, step)
	})
}

// maskEvent hides for good what tells a person in the data of an event. What
// was masked carries a number, so that two plates of one province stay two
// events.
func maskEvent(data json.RawMessage, n int) (json.RawMessage, bool) {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if len(data) == 0 || d.Decode(&v) != nil {
		return data, false
	}
	before, _ := json.Marshal(v) // was JSON
	v = personal.Fields(v)
	after, _ := json.Marshal(v)
	if bytes.Equal(before, after) {
		return data, false
	}
	if o, ok := v.(map[string]any); ok {
		o["masked"] = n + 1
		after, _ = json.Marshal(o)
	}
	return after, true
}

// untaken says which reader of the journal has not taken what its shelves hold.
func (k *keeping) untaken(ctx context.Context) (string, error) {
	state := k.journal.State()
	filling, _ := k.rollups.Waiting()
	if filling || k.rollups.Pos() < state.Settled {
		return retention.RollupsBehind, nil
	}
	if k.cursor == nil {
		return "", nil
	}
	place, err := k.cursor.LoadShelf(ctx)
	if err != nil {
		return "", err
	}
	pos, err := k.cursor.Load(ctx)
	if err != nil {
		return "", err
	}
	oldest, err := k.journal.Oldest(ctx)
	if err != nil {
		return "", err
	}
	// What the log still has is kept for the writer there.
	if place != (ingest.ShelfPlace{}) || pos < oldest-1 {
		return retention.InfluxBehind, nil
	}
	return "", nil
}

func (k *keeping) hours() retention.Part {
	expiry := func(c retention.Cut) rollup.Expiry { return rollup.Expiry{Before: c.Before(""), Held: k.held} }
	lot := func(e rollup.Expired) retention.Lot {
		return retention.NewLot("rollup", k.typeOf(e.Device), e.Hours, 0, e.Oldest, e.Newest)
	}
	return expiring(retention.Rollups, expiry, lot, k.rollups.WouldExpire, k.rollups.Expire)
}

func (k *keeping) deadLetters() retention.Part {
	expiry := func(c retention.Cut) deadletters.Expiry {
		return deadletters.Expiry{Before: c.Before(""), Held: k.heldAt}
	}
	lot := func(e deadletters.Expired) retention.Lot {
		return retention.NewLot("dead_letter", "", e.Letters, e.Bytes, e.Oldest, e.Newest)
	}
	return expiring(retention.DeadLetters, expiry, lot, k.letters.WouldExpire, k.letters.Expire)
}

func (k *keeping) told() retention.Part {
	expiry := func(c retention.Cut) commands.Expiry { return commands.Expiry{Before: c.Before(""), Held: k.heldAt} }
	lot := func(e commands.Gone) retention.Lot {
		return retention.NewLot("command", "", e.Commands, 0, e.Oldest, e.Newest)
	}
	return expiring(retention.Commands, expiry, lot, k.commands.WouldExpire, k.commands.Expire)
}

func (k *keeping) reportExpiry(c retention.Cut) reports.Expiry {
	return reports.Expiry{Before: c.Before(""), Held: k.store.HoldsReport}
}

func reportLot(what string, n int, e reports.Expired) retention.Lot {
	at := e.Closed.UnixMilli()
	return retention.NewLot(what, "", int64(n), 0, at, at)
}

// personal is what tells a person in reports.
func (k *keeping) personal() retention.Part {
	return retention.Part{Class: retention.ReportPersonal,
		Plan: func(ctx context.Context, c retention.Cut) (ls retention.Lots, err error) {
			es, err := k.reports.ToAnonymise(ctx, k.reportExpiry(c))
			for _, e := range es {
				ls.Add(reportLot("report", 1, e))
			}
			return ls, err
		},
		Remove: func(ctx context.Context, c retention.Cut, step func(retention.Lot) error) error {
			return eachReport(ctx, k.reportExpiry(c), k.reports.ToAnonymise, k.reports.Anonymise, func(e reports.Expired) error { return step(reportLot("report", 1, e)) })
		}}
}

// eachReport does something to each of the reports that are old enough.
func eachReport(ctx context.Context, x reports.Expiry, list func(context.Context, reports.Expiry) ([]reports.Expired, error), do func(context.Context, string, reports.Expiry) (bool, error), step func(reports.Expired) error) error {
	es, err := list(ctx, x)
	if err != nil {
		return err
	}
	for _, e := range es {
		done, err := do(ctx, e.Code, x)
		if err == nil && done {
			err = step(e)
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// photos are those of reports, and files that nothing refers to.
func (k *keeping) photos() retention.Part {
	file := func(f media.File) retention.Lot {
		at := f.Kept.UnixMilli()
		return retention.NewLot("photo_file", "", 1, f.Bytes, at, at)
	}
	return retention.Part{Class: retention.Photos,
		Plan: func(ctx context.Context, c retention.Cut) (ls retention.Lots, err error) {
			es, err := k.reports.PhotosToRemove(ctx, k.reportExpiry(c))
			if err != nil {
				return nil, err
			}
			for _, e := range es {
				ls.Add(reportLot("photo", len(e.Photos), e))
			}
			used, err := k.usedPhotos(ctx, es)
			if err != nil {
				return nil, err
			}
			return ls, k.media.Unused(ctx, used, func(f media.File) error { ls.Add(file(f)); return nil })
		},
		Remove: func(ctx context.Context, c retention.Cut, step func(retention.Lot) error) error {
			err := eachReport(ctx, k.reportExpiry(c), k.reports.PhotosToRemove, k.reports.RemovePhotos, func(e reports.Expired) error { return step(reportLot("photo", len(e.Photos), e)) })
			if err != nil {
				return err
			}
			used, err := k.usedPhotos(ctx, nil)
			if err != nil {
				return err
			}
			return k.media.Unused(ctx, used, func(f media.File) error {
				done, err := k.media.Remove(f.SHA256)
				if err != nil || !done {
					return err
				}
				return step(file(f))
			})
		}}
}

// usedPhotos says of a photo whether anything but the given reports refers to it.
func (k *keeping) usedPhotos(ctx context.Context, but []reports.Expired) (func(string) bool, error) {
	used, err := k.reports.PhotosInUse(ctx, but)
	if err != nil {
		return nil, err
	}
	orders, err := k.orders.PhotosInUse(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range k.registry.List(devices.Filter{Lives: devices.Lives()}) {
		used[d.Photo] = true
	}
	return func(sha string) bool { return used[sha] || orders[sha] }, nil
}
