package agencies_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"

	"haidang/devices"
	"haidang/devices/agencies"
	"haidang/devices/audit"
	"haidang/devices/statedb/statedbtest"
)

// places knows the areas of the catalogue.
type places struct{}

func (places) Area(code string) (devices.Area, bool) {
	return devices.Area{Code: code}, strings.Contains(" dong-hoi le-thuy ", " "+code+" ")
}

func open(t testing.TB) (*agencies.Store, *audit.Log, *sql.DB) {
	t.Helper()
	db := statedbtest.Open(t)
	log, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return reopen(t, db, log), log, db
}

func reopen(t testing.TB, db *sql.DB, log *audit.Log) *agencies.Store {
	t.Helper()
	s, err := agencies.Open(t.Context(), db, log, places{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var ward = agencies.Agency{ID: "ubnd-dong-hoi", Name: " UBND phường Đo\u0302\u0300ng Hới ", Phone: "0232 3822 000", Email: "ubnd@example.vn", Zalo: "0912.345.678",
	Areas: []string{"le-thuy", "dong-hoi", "dong-hoi"}, Categories: []string{"giao-thong"}, Calendar: "hanh-chinh"}

func TestAgencyFromCreatedToDeleted(t *testing.T) {
	s, log, db := open(t)
	shipped := len(s.Agencies())
	if _, err := s.Create(t.Context(), ward); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), ward); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	s = reopen(t, db, log)
	a, err := s.Get("UBND-Dong-Hoi")
	want := &agencies.Agency{ID: ward.ID, Name: "UBND phường Đồng Hới", Phone: "02323822000", Email: ward.Email, Zalo: "0912345678", Areas: []string{"dong-hoi", "le-thuy"}, Categories: ward.Categories, Calendar: ward.Calendar}
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("%+v %v, want %+v", a, err, want)
	}
	for q, n := range map[string]int{"dong hoi": 1, "ĐỒNG": 1, "ubnd-": 2, "": shipped + 1, "xyz": 0} {
		if got := len(s.List(q, false)); got != n {
			t.Errorf("search %q found %d, want %d", q, got, n)
		}
	}
	retired := *a
	retired.Retired = true
	for range 2 { // the second changes nothing, and is not noted
		if _, err := s.Update(t.Context(), retired); err != nil {
			t.Fatal(err)
		}
	}
	if one, ok := s.Agency(ward.ID); !ok || !one.Retired || len(s.Agencies()) != shipped || len(s.List("", true)) != shipped+1 {
		t.Errorf("retired: %+v %v, %d are left", one, ok, len(s.Agencies()))
	}
	if err := s.Delete(t.Context(), ward.ID); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.Delete(t.Context(), ward.ID), second(s.Update(t.Context(), ward)), second(s.Get(ward.ID))} {
		if !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("after it was deleted: %v", err)
		}
	}
	es, err := log.List(t.Context(), audit.Filter{Kind: "agency", ID: ward.ID})
	if err != nil || len(es) != 3 || es[0].Action != "agency.delete" || es[1].Action != "agency.update" || es[2].Action != "agency.create" || es[0].After != nil || es[2].Before != nil {
		t.Errorf("audit: %+v %v", es, err)
	}
}

func second(_ *agencies.Agency, err error) error { return err }

func TestAgencyInUseIsNotDeleted(t *testing.T) {
	s, _, db := open(t)
	s.InUse(agencies.Use{What: "reports", Count: func(ctx context.Context, tx *sql.Tx, id string) (n int, err error) {
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM agency WHERE id = ?`, id).Scan(&n)
		return n, err
	}})
	err := s.Delete(t.Context(), "so-y-te")
	if !errors.Is(err, devices.ErrConflict) || !strings.Contains(err.Error(), "1 reports; retire it") {
		t.Errorf("%v", err)
	}
	if _, err := s.Get("so-y-te"); err != nil {
		t.Error(err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM agency WHERE id = 'so-y-te'`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestBadAgenciesNameTheField(t *testing.T) {
	s, _, _ := open(t)
	for name, c := range map[string]struct {
		field string
		spoil func(*agencies.Agency)
	}{
		"no id":             {"id", func(a *agencies.Agency) { a.ID = "" }},
		"an id with đ":      {"id", func(a *agencies.Agency) { a.ID = "đồng-hới" }},
		"no name":           {"name", func(a *agencies.Agency) { a.Name = " " }},
		"two lines":         {"name", func(a *agencies.Agency) { a.Name = "a\nb" }},
		"broken bytes":      {"name_en", func(a *agencies.Agency) { a.NameEN = "\xff" }},
		"a phone in words":  {"phone", func(a *agencies.Agency) { a.Phone = "gọi tôi" }},
		"a Zalo too short":  {"zalo", func(a *agencies.Agency) { a.Zalo = "12" }},
		"no e-mail":         {"email", func(a *agencies.Agency) { a.Email = "a@" }},
		"an e-mail's name":  {"email", func(a *agencies.Agency) { a.Email = "Lan <lan@example.vn>" }},
		"no area":           {"areas", func(a *agencies.Agency) { a.Areas = []string{"ha-noi"} }},
		"no category":       {"categories", func(a *agencies.Agency) { a.Categories = []string{"a b"} }},
		"too long a name":   {"name", func(a *agencies.Agency) { a.Name = strings.Repeat("ế", 201) }},
		"a calendar's name": {"calendar", func(a *agencies.Agency) { a.Calendar = strings.Repeat("x", 61) }},
	} {
		a := ward
		c.spoil(&a)
		_, err := s.Create(t.Context(), a)
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnknownCalendarsAreRefused(t *testing.T) {
	s, _, _ := open(t)
	s.KnowCalendars(func(id string) bool { return id == "hanh-chinh" })
	_, err := s.Create(t.Context(), agencies.Agency{ID: "a", Name: "A", Calendar: "hanh-chin"})
	if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != "calendar" {
		t.Errorf("created: %v", err)
	}
	if _, err := s.Create(t.Context(), agencies.Agency{ID: "a", Name: "A", Calendar: "hanh-chinh"}); err != nil || !s.Follows("hanh-chinh") || s.Follows("x") {
		t.Errorf("created: %v", err)
	}
}

// What an agency has of an earlier version does not keep it from being changed,
// or retired.
func TestWhatAnAgencyHadIsNotRefused(t *testing.T) {
	s, _, _ := open(t)
	old := agencies.Agency{ID: "a", Name: "A", Categories: []string{"of-before"}, Calendar: "T2-T6 7h30-17h"}
	if _, err := s.Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	none := func(string) bool { return false }
	s.KnowCategories(none)
	s.KnowCalendars(none)
	next := old
	next.Retired = true
	if a, err := s.Update(t.Context(), next); err != nil || !a.Retired || a.Calendar != old.Calendar {
		t.Errorf("retired: %+v, %v", a, err)
	}
	if p := s.Preview([]byte("id,name\na,Khác\n")); len(p.Errors) > 0 {
		t.Errorf("imported: %+v", p.Errors)
	}
	next.Calendar = "T2-T7"
	if _, err := s.Update(t.Context(), next); err == nil {
		t.Error("another one that there is not was taken")
	}
}

// A misspelt category would bring an agency nothing, unseen.
func TestUnknownCategoriesAreRefused(t *testing.T) {
	s, _, _ := open(t)
	s.KnowCategories(func(id string) bool { return id == "giao-thong" })
	_, err := s.Create(t.Context(), agencies.Agency{ID: "a", Name: "A", Categories: []string{"giao-thong", "giao-thongg"}})
	if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != "categories" || !strings.Contains(fe.Reason, "giao-thongg") {
		t.Errorf("created: %v", err)
	}
	if p := s.Preview([]byte("id,name,categories\na,A,giao-thong\nb,B,xx\n")); len(p.Errors) != 1 || p.Errors[0].Row != 3 || p.Errors[0].Field != "categories" {
		t.Errorf("imported: %+v", p.Errors)
	}
}
