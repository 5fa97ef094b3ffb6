package calendars

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"haidang/devices"
)

// Calendar says when who follows it works, in Vietnam's time.
type Calendar struct {
	ID     string `json:"id" yaml:"id"`
	Name   string `json:"name" yaml:"name"`
	NameEN string `json:"name_en" yaml:"name_en"`
	// Week are the hours of each weekday, from mon to sun, as "07:30-11:30", in
	// order; a day without any is off. "00:00-24:00" is all of a day.
	Week map[string][]string `json:"week" yaml:"week"`
	// Off are days on which nobody works, On those that are worked in their
	// place; a day of On counts more.
	Off []DaysOff `json:"off" yaml:"off"`
	On  []DayOn   `json:"on" yaml:"on"`
	// Version grows with each change.
	Version int64 `json:"version" yaml:"-"`
}

// DaysOff are days from the first to the last: YYYY-MM-DD, or MM-DD for those of
// each year.
type DaysOff struct {
	From string `json:"from" yaml:"from"`
	To   string `json:"to,omitempty" yaml:"to"` // empty: one day
	Name string `json:"name" yaml:"name"`
}

// DayOn is a day that is worked though its weekday is not.
type DayOn struct {
	Day   string   `json:"day" yaml:"day"` // YYYY-MM-DD
	Hours []string `json:"hours" yaml:"hours"`
	Name  string   `json:"name" yaml:"name"`
}

// zone is Vietnam's, which has had no summer time since 1975.
var zone = time.FixedZone("ICT", 7*3600)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts

// longest is how far Until looks ahead: beyond a Tết by far.
const longest = 60

// Works says whether people work at t.
func (c *Calendar) Works(t time.Time) bool {
	t = t.In(zone)
	minute := t.Hour()*60 + t.Minute()
	for _, s := range c.hoursOf(t) {
		if s.from <= minute && minute < s.to {
			return true
		}
	}
	return false
}

// Until is when what Works says at t changes; zero when it does not within two
// months.
func (c *Calendar) Until(t time.Time) time.Time {
	now := c.Works(t)
	local := t.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	for day := range longest {
		start := midnight.AddDate(0, 0, day)
		at := []time.Time{start}
		for _, s := range c.hoursOf(start) {
			at = append(at, start.Add(time.Duration(s.from)*time.Minute), start.Add(time.Duration(s.to)*time.Minute))
		}
		for _, x := range at {
			if x.After(t) && c.Works(x) != now {
				return x
			}
		}
	}
	return time.Time{}
}

// hoursOf are the hours of the day on which t lies.
func (c *Calendar) hoursOf(t time.Time) []span {
	day := t.Format(time.DateOnly)
	for _, on := range c.On {
		if on.Day == day {
			return parsed(on.Hours)
		}
	}
	for _, off := range c.Off {
		if off.has(day) {
			return nil
		}
	}
	return parsed(c.Week[weekdays[t.Weekday()]])
}

// has says whether a day, as YYYY-MM-DD, is among them.
func (o *DaysOff) has(day string) bool {
	if len(o.From) == len("01-02") {
		day = day[len("2006-"):]
	}
	to := o.To
	if to == "" {
		to = o.From
	}
	return o.From <= day && day <= to
}

// span is from a minute of a day to another, at most 24 × 60.
type span struct{ from, to int }

func parsed(hours []string) []span {
	spans, _ := parseHours(hours) // check let through what it reads
	return spans
}

var hoursForm = regexp.MustCompile(`^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$`)

func parseHours(hours []string) (spans []span, err error) {
	end := 0
	for _, h := range hours {
		if !hoursForm.MatchString(h) {
			return nil, fmt.Errorf("%.20q are no hours; write 07:30-11:30", h)
		}
		var a, b, x, y int
		fmt.Sscanf(h, "%d:%d-%d:%d", &a, &b, &x, &y)
		s := span{a*60 + b, x*60 + y}
		if s.to > 24*60 || s.from >= s.to {
			return nil, fmt.Errorf("%s ends before it begins, or after midnight", h)
		}
		if s.from < end {
			return nil, fmt.Errorf("%s begins before the hours ahead of it end; hours stand in order", h)
		}
		end = s.to
		spans = append(spans, s)
	}
	return spans, nil
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// clean brings a calendar to the form in which it is kept; the error is a
// *devices.FieldError.
func (c Calendar) clean() (Calendar, error) {
	bad := func(field, format string, args ...any) (Calendar, error) {
		return c, &devices.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if !idForm.MatchString(c.ID) {
		return bad("id", "%.80q is no id of a calendar: 1 to 60 small letters without accents, digits or '-'", c.ID)
	}
	for field, name := range map[string]*string{"name": &c.Name, "name_en": &c.NameEN} {
		if *name = norm.NFC.String(strings.TrimSpace(*name)); *name == "" || !lineOf(*name) {
			return bad(field, "a name is one line of 1 to 200 characters")
		}
	}
	for day, hours := range c.Week {
		if !slices.Contains(weekdays, day) {
			return bad("week."+cut(day), "it is no weekday; these are mon, tue, wed, thu, fri, sat, sun")
		}
		if _, err := parseHours(hours); err != nil {
			return bad("week."+day, "%s", err)
		}
	}
	if len(c.Off) > maxDays || len(c.On) > maxDays {
		return bad("off", "at most %d entries", maxDays)
	}
	for i, o := range c.Off {
		at := fmt.Sprintf("off[%d].", i)
		yearly := len(o.From) == len("01-02")
		switch {
		case !isDay(o.From, yearly):
			return bad(at+"from", "%.20q is no day; write YYYY-MM-DD, or MM-DD for each year", o.From)
		case o.To != "" && (!isDay(o.To, yearly) || o.To < o.From):
			return bad(at+"to", "the last day is written like the first, and not before it; over New Year's Eve write two")
		case !lineOf(o.Name):
			return bad(at+"name", "one line of at most 200 characters")
		}
	}
	seen := map[string]bool{}
	for i, o := range c.On {
		at := fmt.Sprintf("on[%d].", i)
		_, err := parseHours(o.Hours)
		switch {
		case !isDay(o.Day, false):
			return bad(at+"day", "%.20q is no day; write YYYY-MM-DD", o.Day)
		case seen[o.Day]:
			return bad(at+"day", "%s is there twice", o.Day)
		case err != nil:
			return bad(at+"hours", "%s", err)
		case !lineOf(o.Name):
			return bad(at+"name", "one line of at most 200 characters")
		}
		seen[o.Day] = true
	}
	if c.Week == nil {
		c.Week = map[string][]string{}
	}
	c.Off, c.On = append([]DaysOff{}, c.Off...), append([]DayOn{}, c.On...)
	return c, nil
}

// maxDays is how many days off, and on, one calendar may name: twenty years'.
const maxDays = 1000

func isDay(s string, yearly bool) bool {
	if yearly {
		s = "2024-" + s // which has a 29 February
	}
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Format(time.DateOnly) == s
}

func lineOf(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= 200 && !strings.ContainsFunc(s, unicode.IsControl)
}

func cut(s string) string { return fmt.Sprintf("%.20s", s) }
