// Package indicator takes figures of other systems (socio-economic, public
// services, health, education, cyber-security) as JSON or CSV: what, where, of
// which period, in which unit, from whom. A source and an area together are a
// device ("ind-<source>-<area>"); the indicator is the metric, and the period's
// beginning, in Vietnam's time, the fix time. A figure sent again for the same
// period is kept beside the first; the newest received counts.
package indicator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// record is one figure.
type record struct{ indicator, period, unit, area, source, value string }

// Decoder reads indicators.
type Decoder struct{}

// New makes a decoder.
func New() Decoder { return Decoder{} }

// Decode implements ingest.Decoder. What begins with [ or { is JSON.
func (Decoder) Decode(in ingest.Input) []ingest.Item {
	body := strings.TrimSpace(strings.TrimPrefix(string(in.Payload), "\ufeff"))
	if body == "" {
		return object.One(object.Refuse("payload_empty", "the payload is empty"))
	}
	if body[0] == '[' || body[0] == '{' {
		return fromJSON(body)
	}
	return fromCSV(body)
}

func fromJSON(body string) []ingest.Item {
	v, r := object.Parse([]byte(body))
	if r != nil {
		return object.One(r)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 || len(list) > object.MaxItems {
		return object.One(object.Refuse("array_length", "1 to %d indicators are taken at once, not %d", object.MaxItems, len(list)))
	}
	items := make([]ingest.Item, len(list))
	for i, e := range list {
		items[i] = item(e, fmt.Sprintf("record %d", i+1))
		items[i].Raw = object.Raw(e)
	}
	return items
}

func item(v any, where string) ingest.Item {
	o, r := object.Object(v, "an indicator")
	if r != nil {
		return ingest.Item{Refusal: r, Where: where}
	}
	rec := record{object.String(o, "indicator"), object.String(o, "period"), object.String(o, "unit"), object.String(o, "area"), object.String(o, "source"), ""}
	switch x := o["value"].(type) {
	case float64:
		rec.value = strconv.FormatFloat(x, 'g', -1, 64)
	default:
		return ingest.Item{Refusal: object.Refuse("type_wrong", "value must be a number, not %s", object.Kind(x)), Where: where}
	}
	return rec.item(where)
}

func (rec record) item(where string) ingest.Item {
	it := ingest.Item{Where: where, Units: map[string]string{}}
	fill := func() (r *ingest.Refusal) {
		for _, f := range [...]struct{ name, value string }{{"source", rec.source}, {"period", rec.period}, {"indicator", rec.indicator}} {
			if f.value == "" {
				return object.Refuse("field_missing", "%s is missing", f.name)
			}
		}
		own := rec.source
		if rec.area != "" {
			own += "-" + rec.area
		}
		if it.Device, r = object.DeviceID("ind-", own); r != nil {
			return r
		}
		rd := &ingest.Reading{Seq: ingest.NoSeq}
		if rd.FixTime, r = Period(rec.period); r != nil {
			return r
		}
		x, ok := object.Decimal(rec.value)
		if !ok {
			return object.Refuse("number_invalid", "value %.40q is no number", rec.value)
		}
		if r := object.Add(&rd.Values, rec.indicator, x); r != nil {
			return r
		}
		if rec.unit != "" {
			it.Units[rec.indicator] = rec.unit
		}
		it.Reading = rd
		return nil
	}
	if r := fill(); r != nil {
		it.Refusal, it.Reading = r, nil
	}
	return it
}

var (
	vietnam = time.FixedZone("UTC+7", 7*3600)
	quarter = regexp.MustCompile(`^(\d{4})-?Q([1-4])$`)
	week    = regexp.MustCompile(`^(\d{4})-?W(\d{2})$`)
)

// Period is the beginning of a year (2026), quarter (2026-Q3), month (2026-07),
// ISO week (2026-W30) or day (2026-07-24), in Vietnam's time.
func Period(s string) (time.Time, *ingest.Refusal) {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, s, vietnam); err == nil {
			return at.UTC(), nil
		}
	}
	if m := quarter.FindStringSubmatch(s); m != nil {
		year, _ := strconv.Atoi(m[1])
		q, _ := strconv.Atoi(m[2])
		return time.Date(year, time.Month(3*q-2), 1, 0, 0, 0, 0, vietnam).UTC(), nil
	}
	if m := week.FindStringSubmatch(s); m != nil {
		year, _ := strconv.Atoi(m[1])
		n, _ := strconv.Atoi(m[2])
		// 4 January is always in week 1.
		at := time.Date(year, 1, 4, 0, 0, 0, 0, vietnam)
		at = at.AddDate(0, 0, -(int(at.Weekday())+6)%7+7*(n-1))
		if y, w := at.ISOWeek(); n >= 1 && y == year && w == n {
			return at.UTC(), nil
		}
	}
	return time.Time{}, object.Refuse("period_invalid", "%.40q is no period: write 2026, 2026-Q3, 2026-07, 2026-W30 or 2026-07-24", s)
}
