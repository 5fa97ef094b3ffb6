package retention

import (
	"fmt"
	"strconv"
	"time"

	"haidang/devices"
)

// Period is how long something is kept: months, by the calendar, or days. Its
// text is ISO 8601: "P90D", "P36M", "P5Y". The zero value, as text "", is for
// ever.
type Period struct{ Months, Days int }

// maxYears bounds a period.
const maxYears = 100

// ParsePeriod reads a period.
func ParsePeriod(text string) (Period, error) {
	if text == "" {
		return Period{}, nil
	}
	bad := &devices.FieldError{Field: "keep", Reason: fmt.Sprintf("%.20q is no period; write P90D for 90 days, P36M for 36 months, P5Y for 5 years", text)}
	if len(text) < 3 || text[0] != 'P' {
		return Period{}, bad
	}
	n, err := strconv.ParseUint(text[1:len(text)-1], 10, 16)
	if err != nil || n == 0 {
		return Period{}, bad
	}
	var p Period
	switch text[len(text)-1] {
	case 'D':
		p.Days = int(n)
	case 'M':
		p.Months = int(n)
	case 'Y':
		p.Months = 12 * int(n)
	default:
		return Period{}, bad
	}
	if p.Days > maxYears*366 || p.Months > maxYears*12 {
		return Period{}, &devices.FieldError{Field: "keep", Reason: fmt.Sprintf("at most %d years; leave it out for ever", maxYears)}
	}
	return p, nil
}

// Forever says that nothing is ever removed.
func (p Period) Forever() bool { return p == Period{} }

// Before is the time before which things are older than the period.
func (p Period) Before(now time.Time) time.Time {
	if p.Forever() {
		return time.Time{}
	}
	return addMonths(now, -p.Months).AddDate(0, 0, -p.Days)
}

// addMonths keeps to the month: a month before 31 March is the last of February,
// not 3 March, so that nothing goes early or late by a few days.
func addMonths(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// shorter says whether p certainly keeps less than q; months count with the
// fewest days that they can have in a row.
func (p Period) shorter(q Period) bool {
	switch {
	case p.Forever():
		return false
	case q.Forever():
		return true
	}
	now := time.Now().UTC()
	return p.Before(now).After(q.Before(now)) || p.Days > 0 && q.Months > 0 && p.Days < longest(q.Months)
}

// longest is the most days that so many months can have.
func longest(months int) int {
	most := 0
	for m := range 48 {
		from := time.Date(2024, time.January+time.Month(m), 1, 0, 0, 0, 0, time.UTC)
		most = max(most, int(from.AddDate(0, months, 0).Sub(from)/(24*time.Hour)))
	}
	return most
}

// String is the period as text.
func (p Period) String() string {
	switch {
	case p.Days > 0:
		return fmt.Sprintf("P%dD", p.Days)
	case p.Months >= 48 && p.Months%12 == 0: // the law says 36 months
		return fmt.Sprintf("P%dY", p.Months/12)
	case p.Months > 0:
		return fmt.Sprintf("P%dM", p.Months)
	}
	return ""
}

// words are the period in a sentence.
func (p Period) words() string {
	switch {
	case p.Days > 0:
		return fmt.Sprintf("%d days", p.Days)
	case p.Months >= 48 && p.Months%12 == 0:
		return fmt.Sprintf("%d years", p.Months/12)
	case p.Months > 0:
		return fmt.Sprintf("%d months", p.Months)
	}
	return "for ever"
}

// MarshalText implements encoding.TextMarshaler.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Period) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePeriod(string(text))
	return err
}
