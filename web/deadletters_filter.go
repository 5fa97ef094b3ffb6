package web

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/deadletters"
)

// deadLetterParams narrow every list of dead letters and every act on them.
var deadLetterParams = []string{"stage", "device", "code", "format", "version", "status", "from", "to"}

// listFilter reads what a page of the list is asked for.
func listFilter(r *http.Request) (deadletters.Filter, error) {
	f, q, err := deadLetterFilter(r, "discarded_at", "limit", "cursor")
	if err != nil {
		return f, err
	}
	if f.Limit, err = intParam(q.Get("limit"), "limit", 100, 1000); err != nil {
		return f, err
	}
	f.Before, err = cursorParam(q.Get("cursor"))
	return f, err
}

// exportFilter reads what an export is asked for. It has all that match: a
// limit would be a misunderstanding.
func exportFilter(r *http.Request) (deadletters.Filter, error) {
	f, q, err := deadLetterFilter(r, "discarded_at", "export")
	if form := q.Get("export"); err == nil && form != "ndjson" {
		err = &devices.FieldError{Field: "export", Reason: fmt.Sprintf("%.20q is unknown; known is ndjson", form)}
	}
	return f, err
}

// actFilter reads which dead letters an act is to change, by the query alone.
func actFilter(r *http.Request, more ...string) (deadletters.Filter, error) {
	f, _, err := deadLetterFilter(r, more...)
	if err != nil {
		return f, err
	}
	return f, noBody(r)
}

// deadLetterFilter reads which dead letters are meant by deadLetterParams and
// the parameters more.
func deadLetterFilter(r *http.Request, more ...string) (f deadletters.Filter, q url.Values, err error) {
	if q, err = strictQuery(r, append(slices.Clone(deadLetterParams), more...)); err != nil {
		return f, q, err
	}
	f = deadletters.Filter{Stage: ingest.Stage(q.Get("stage")), Device: devices.ID(q.Get("device")), Code: q.Get("code"), Format: q.Get("format"), Version: q.Get("version"), Status: q.Get("status")}
	for name, known := range map[string][]string{
		"stage":  {string(ingest.StageTopic), string(ingest.StageIdentify), string(ingest.StageDecode), string(ingest.StageValidate), string(ingest.StageReport), string(ingest.StageAnswer)},
		"status": {"new", "replayed", "discarded"},
	} {
		if q.Has(name) && !slices.Contains(known, q.Get(name)) {
			return f, q, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.20q is unknown; known are %s", q.Get(name), strings.Join(known, ", "))}
		}
	}
	for name, t := range map[string]*time.Time{"from": &f.From, "to": &f.To, "discarded_at": &f.DiscardedAt} {
		if *t, err = timeParam(q.Get(name), name, time.Time{}); err != nil {
			return f, q, err
		}
	}
	if q.Has("from") && q.Has("to") && !f.From.Before(f.To) {
		return f, q, &devices.FieldError{Field: "from", Reason: "it must be before to"}
	}
	return f, q, nil
}

// strictQuery reads a query of which every parameter is known, has a value and
// is given once. A misspelt or broken one would narrow nothing: discard?devise=x
// would set everything aside.
func strictQuery(r *http.Request, known []string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: the query cannot be read: %w", errBadRequest, err)
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		values, reason := q[name], ""
		switch {
		case !slices.Contains(known, name):
			reason = "it is unknown here; known are " + strings.Join(known, ", ")
		case len(values) > 1:
			reason = "it is given more than once"
		case values[0] == "":
			reason = "it is empty; leave it out when it is not to narrow"
		default:
			continue
		}
		return nil, &devices.FieldError{Field: fmt.Sprintf("%.40s", name), Reason: reason}
	}
	return q, nil
}

// noBody refuses a filter where none is read: curl -d device=x.
func noBody(r *http.Request) error {
	b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("%w: read the body: %w", errBadRequest, err)
	}
	if b = bytes.TrimSpace(b); len(b) > 0 && string(b) != "{}" {
		return fmt.Errorf("%w: what is to match belongs in the query of the address, not in the body", errBadRequest)
	}
	return nil
}
