package areas

import (
	"fmt"
	"time"
)

// Day is a date in Vietnam (UTC+7), written as 2025-07-01, so that days compare
// as texts do. Empty stands for no bound: as a beginning, before our records;
// as an end, still.
type Day string

var vietnam = time.FixedZone("UTC+7", 7*3600)

const dayForm = "2006-01-02"

// DayOf is the day that it is in Vietnam at t.
func DayOf(t time.Time) Day { return Day(t.In(vietnam).Format(dayForm)) }

// Today is the day that it is in Vietnam now.
func Today() Day { return DayOf(time.Now()) }

// ParseDay reads 2025-07-01 or, as Vietnamese documents write it, 01/07/2025;
// empty is no bound. The error is a sentence for a person.
func ParseDay(s string) (Day, error) {
	if s == "" {
		return "", nil
	}
	for _, form := range []string{dayForm, "2/1/2006"} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1800 && t.Year() < 2200 {
			return Day(t.Format(dayForm)), nil
		}
	}
	return "", fmt.Errorf("%.20q is no day such as 2025-07-01 or 01/07/2025", s)
}

// vietnamese is the day as documents write it, 01/07/2025.
func (d Day) vietnamese() string {
	t, err := time.Parse(dayForm, string(d))
	if err != nil {
		return string(d)
	}
	return t.Format("02/01/2006")
}

// before is the day before d.
func (d Day) before() Day {
	t, err := time.Parse(dayForm, string(d))
	if err != nil {
		return ""
	}
	return Day(t.AddDate(0, 0, -1).Format(dayForm))
}
