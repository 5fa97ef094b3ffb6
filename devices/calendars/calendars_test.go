package calendars_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/calendars"
	"haidang/devices/statedb/statedbtest"
)

func open(t *testing.T) (*calendars.Store, *audit.Log, *sql.DB) {
	t.Helper()
	db := statedbtest.Open(t)
	log, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	s, err := calendars.Open(t.Context(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	return s, log, db
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04 -07", s+" +07")
	if err != nil {
		panic(err)
	}
	return t.UTC() // whoever asks, it is Vietnam's time that counts
}

func TestOfficeHours(t *testing.T) {
	s, _, _ := open(t)
	c, err := s.Get("hanh-chinh")
	if err != nil {
		t.Fatal(err)
	}
	// Tết of 2027 as somebody enters it, and a Saturday worked in place.
	edited := *c
	c = &edited
	c.Off = append(c.Off, calendars.DaysOff{From: "2027-02-04", To: "2027-02-10", Name: "Tết Nguyên đán"})
	c.On = append(c.On, calendars.DayOn{Day: "2027-02-20", Hours: []string{"07:30-11:30"}, Name: "Làm bù"}, calendars.DayOn{Day: "2027-09-02", Hours: []string{"08:00-09:00"}})
	if c, err = s.Put(t.Context(), *c); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		at    string
		works bool
		until string
	}{
		{"2026-12-07 07:29", false, "2026-12-07 07:30"}, // a Monday
		{"2026-12-07 07:30", true, "2026-12-07 11:30"},
		{"2026-12-07 11:30", false, "2026-12-07 13:30"},
		{"2026-12-07 16:59", true, "2026-12-07 17:00"},
		{"2026-12-11 17:00", false, "2026-12-14 07:30"}, // over a weekend
		{"2026-12-31 23:00", false, "2027-01-04 07:30"}, // over New Year's Day, a Friday
		{"2027-02-03 18:00", false, "2027-02-11 07:30"}, // over Tết
		{"2027-02-20 08:00", true, "2027-02-20 11:30"},
		{"2027-02-20 14:00", false, "2027-02-22 07:30"},
		{"2027-04-29 18:00", false, "2027-05-03 07:30"},
		{"2027-09-02 08:30", true, "2027-09-02 09:00"}, // what is worked counts more
	} {
		if works, until := c.Works(at(x.at)), c.Until(at(x.at)); works != x.works || !until.Equal(at(x.until)) {
			t.Errorf("%s: works %v until %s, want %v until %s", x.at, works, until, x.works, x.until)
		}
	}
	always, err := s.Get("ca-24-7")
	if err != nil || !always.Works(at("2027-01-01 00:00")) || !always.Works(at("2027-02-06 23:59")) || !always.Until(at("2027-02-06 23:59")).IsZero() {
		t.Errorf("around the clock: %v, %v", always, err)
	}
}

func TestWrongCalendarsAreToldAtTheirField(t *testing.T) {
	s, _, _ := open(t)
	for field, change := range map[string]func(*calendars.Calendar){
		"id":          func(c *calendars.Calendar) { c.ID = "Giờ" },
		"name":        func(c *calendars.Calendar) { c.Name = " " },
		"week.monday": func(c *calendars.Calendar) { c.Week = map[string][]string{"monday": nil} },
		"week.mon":    func(c *calendars.Calendar) { c.Week = map[string][]string{"mon": {"7:30-11:30"}} },
		"week.tue":    func(c *calendars.Calendar) { c.Week = map[string][]string{"tue": {"13:00-12:00"}} },
		"week.wed":    func(c *calendars.Calendar) { c.Week = map[string][]string{"wed": {"08:00-12:00", "11:00-13:00"}} },
		"week.thu":    func(c *calendars.Calendar) { c.Week = map[string][]string{"thu": {"20:00-24:30"}} },
		"off[0].from": func(c *calendars.Calendar) { c.Off = []calendars.DaysOff{{From: "02/09"}} },
		"off[0].to":   func(c *calendars.Calendar) { c.Off = []calendars.DaysOff{{From: "12-31", To: "01-01"}} },
		"on[0].day":   func(c *calendars.Calendar) { c.On = []calendars.DayOn{{Day: "2027-02-30"}} },
		"on[1].day":   func(c *calendars.Calendar) { c.On = []calendars.DayOn{{Day: "2027-02-20"}, {Day: "2027-02-20"}} },
		"on[0].hours": func(c *calendars.Calendar) { c.On = []calendars.DayOn{{Day: "2027-02-20", Hours: []string{"x"}}} },
	} {
		c := calendars.Calendar{ID: "a", Name: "A", NameEN: "A"}
		change(&c)
		_, err := s.Put(t.Context(), c)
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field || fe.Reason == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := s.Get("a"); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("one was kept: %v", err)
	}
}

func TestCalendarsOutliveAndAreRecorded(t *testing.T) {
	s, log, db := open(t)
	mine, err := s.Put(t.Context(), calendars.Calendar{ID: "ca-ba", Name: "Ca ba", NameEN: "Nights", Week: map[string][]string{"mon": {"00:00-06:00", "22:00-24:00"}}})
	if err != nil || mine.Version != 1 {
		t.Fatal(mine, err)
	}
	if _, err := s.Put(t.Context(), calendars.Calendar{ID: "ca-ba", Name: "x", NameEN: "x"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("as if it were new: %v", err)
	}
	if same, err := s.Put(t.Context(), *mine); err != nil || same.Version != 1 {
		t.Errorf("as it was: %+v, %v", same, err)
	}
	if err := s.Delete(t.Context(), "ca-24-7", func(string) bool { return true }); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("deleted though followed: %v", err)
	}
	nobody := func(string) bool { return false }
	if err := s.Delete(t.Context(), "ca-24-7", nobody); err != nil {
		t.Fatal(err)
	}
	s, err = calendars.Open(context.Background(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	all := s.List()
	if len(all) != 2 || all[0].ID != "ca-ba" || all[0].Week["mon"][1] != "22:00-24:00" || all[1].ID != "hanh-chinh" {
		t.Errorf("%+v", all)
	}
	if err := s.Delete(t.Context(), "ca-24-7", nobody); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	es, err := log.List(t.Context(), audit.Filter{})
	if err != nil || len(es) != 2 || es[0].Action != "calendar.delete" || len(es[0].Before) == 0 || es[1].Action != "calendar.create" || len(es[1].After) == 0 {
		t.Errorf("recorded %+v, %v", es, err)
	}
}
