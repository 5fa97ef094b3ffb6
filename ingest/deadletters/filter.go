package deadletters

import (
	"fmt"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// Filter narrows a list. Zero members do not.
type Filter struct {
	Stage    ingest.Stage
	Device   devices.ID
	Code     string
	Format   string
	Version  string    // of the decoder
	Status   string    // "new", "replayed", "discarded"
	From, To time.Time // by time of arrival
	// DiscardedAt is the time that a Discard was given.
	DiscardedAt time.Time
	Limit       int   // at most 1,000; 0 means 100
	Before      int64 // continue below this ID
}

// Native is the name of the native form in a Filter.
const Native = "native"

// where is the filter as SQL.
func (f Filter) where() (string, []any) {
	where, args := []string{"1"}, []any{}
	add := func(cond string, arg any) { where = append(where, cond); args = append(args, arg) }
	if f.Format == Native {
		where, f.Format = append(where, "format = ''"), ""
	}
	if f.Device != "" {
		add("device = ? COLLATE NOCASE", string(f.Device)) // as ids are one
	}
	for column, v := range map[string]string{"stage": string(f.Stage), "code": f.Code, "format": f.Format, "version": f.Version, "status": f.Status} {
		if v != "" {
			add(column+" = ?", v)
		}
	}
	if !f.From.IsZero() {
		add("received_at >= ?", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		add("received_at < ?", f.To.UnixMilli())
	}
	if !f.DiscardedAt.IsZero() {
		add("discarded_at = ?", f.DiscardedAt.UnixMilli())
	}
	if f.Before > 0 {
		add("id < ?", f.Before)
	}
	return strings.Join(where, " AND "), args
}

// only narrows the filter to the one status that an act is about. Another that
// is asked for is an error: neither those nor all others can be meant.
func (f Filter) only(status, acted string) (Filter, error) {
	if f.Status != "" && f.Status != status {
		return f, &devices.FieldError{Field: "status", Reason: fmt.Sprintf("only %s dead letters can be %s, not those that are %s; leave it out", status, acted, f.Status)}
	}
	f.Status = status
	return f, nil
}
