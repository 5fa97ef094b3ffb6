package reports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
)

func submit(t *testing.T, s *Service, change func(*Submission)) *Report {
	t.Helper()
	sub := good()
	sub.ClientID = ""
	change(&sub)
	r, _, err := s.Submit(context.Background(), sub)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestListFindsReports(t *testing.T) {
	ctx := context.Background()
	s, _ := service(t)
	hole := submit(t, s, func(x *Submission) { x.Description, x.Address = "Ổ gà lớn", "Đường Trần Hưng Đạo" })
	flood := submit(t, s, func(x *Submission) { x.Category, x.Description = "phong-chong-thien-tai", "Nước lên 100%" })
	if _, err := s.Apply(ctx, flood.Code, "assign", Action{Agency: "ubnd-xa"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    Filter
		want string
	}{
		"all, newest first":    {Filter{}, flood.Code + " " + hole.Code},
		"no accents":           {Filter{Query: "o ga"}, hole.Code},
		"other accents":        {Filter{Query: " ÐƯỜNG Tran "}, hole.Code},
		"category":             {Filter{Query: "thiên tai"}, flood.Code},
		"code":                 {Filter{Query: strings.ToLower(hole.Code[3:7])}, hole.Code},
		"no wildcards":         {Filter{Query: "%"}, flood.Code},
		"quotes":               {Filter{Query: "'; DROP TABLE report"}, ""},
		"not by name":          {Filter{Query: "nguyen van"}, ""},
		"not by phone":         {Filter{Query: "0912345678"}, ""},
		"state":                {Filter{State: Received}, hole.Code},
		"agency":               {Filter{Agency: "ubnd-xa"}, flood.Code},
		"agency and state":     {Filter{Agency: "ubnd-xa", State: Received}, ""},
		"open, and newly done": {Filter{Open: true, Since: time.Now()}, flood.Code + " " + hole.Code},
	} {
		t.Run(name, func(t *testing.T) {
			items, _, err := s.List(ctx, c.f)
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, r := range items {
				codes = append(codes, r.Code)
			}
			if got := strings.Join(codes, " "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	_, _, err := s.List(ctx, Filter{State: "lost"})
	if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != "state" {
		t.Errorf("no such state: %v", err)
	}
}

func TestListPagesWithoutGapOrDouble(t *testing.T) {
	ctx := context.Background()
	s, _ := service(t)
	var want, got []string
	for i := range 7 {
		want = append([]string{submit(t, s, func(x *Submission) { x.Description = fmt.Sprint(i) }).Code}, want...)
	}
	for f := (Filter{Limit: 3}); ; {
		items, next, err := s.List(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range items {
			got = append(got, r.Code)
		}
		if next == 0 {
			break
		}
		f.Before = next
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pages give %v, want %v", got, want)
	}
}

// A screen that reads a report and one that hears of it see the same.
func TestReportReadIsReportAnnounced(t *testing.T) {
	ctx := context.Background()
	s, log := service(t)
	submit(t, s, func(*Submission) {})
	r := submit(t, s, func(*Submission) {})
	r, err := s.Apply(ctx, r.Code, "accept", Action{})
	if err != nil || r.Seq != 3 {
		t.Fatalf("%+v %v", r, err)
	}
	cs, err := log.Since(ctx, Channel, 2, 10)
	if err != nil || len(cs) != 1 {
		t.Fatal(cs, err)
	}
	if b, _ := json.Marshal(r); string(b) != string(cs[0].JSON) {
		t.Errorf("read      %s\nannounced %s", b, cs[0].JSON)
	}
}

func TestOneReportOfManyCopiesAtOnce(t *testing.T) {
	s, log := service(t)
	codes := make([]string, 8)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() {
			r, _, err := s.Submit(context.Background(), good())
			if err != nil {
				t.Error(err)
				return
			}
			codes[i] = r.Code
		})
	}
	wg.Wait()
	for _, c := range codes {
		if c != codes[0] {
			t.Fatalf("one report has the codes %v", codes)
		}
	}
	if n, _ := log.Last(context.Background(), Channel); n != 1 {
		t.Errorf("%d changes, want 1", n)
	}
}

func TestCodesAreReadAsPeopleTypeThem(t *testing.T) {
	form := regexp.MustCompile(`^QB-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`)
	for range 1000 {
		c := newCode("QB")
		if !form.MatchString(c) {
			t.Fatalf("made %q", c)
		}
		for _, typed := range []string{c, strings.ToLower(c), " " + c + "\n", strings.ReplaceAll(c, "-", ""), strings.ReplaceAll(c, "-", " "),
			c[3:], strings.ReplaceAll(c[3:], "0", "O"), strings.ReplaceAll(c[3:], "1", "l")} {
			if got := readCode("QB", typed); got != c {
				t.Fatalf("%q is read as %q, want %q", typed, got, c)
			}
		}
	}
	for _, typed := range []string{"", "QB", "QB-1", strings.Repeat("9", 300)} {
		if got := readCode("QB", typed); got != typed {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
}

// Reports taken before there was a search are found after an upgrade.
func TestOldReportsAreFound(t *testing.T) {
	ctx := context.Background()
	s, log := service(t)
	r := submit(t, s, func(x *Submission) { x.Description = "Cống tắc" })
	if _, err := s.db.Exec(`UPDATE report SET search = ''`); err != nil {
		t.Fatal(err)
	}
	s, err := New(ctx, s.db, log, s.media, Options{Agencies: oneAgency{}, Prefix: "QB"})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := s.List(ctx, Filter{Query: "cong tac"})
	if err != nil || len(items) != 1 || items[0].Code != r.Code {
		t.Errorf("found %v %v", items, err)
	}
}

func FuzzSubmission(f *testing.F) {
	b, _ := json.Marshal(good())
	for _, seed := range []string{string(b), "", "null", "[]", `{"lat":1e999}`, `{"category":"khac","description":"\u0000"}`, `{"photos":["!"]}`} {
		f.Add([]byte(seed))
	}
	categories, err := shippedCategories()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		sub, err := ParseSubmission(payload)
		if err == nil {
			err = sub.check(categories)
		}
		if _, inWords := errors.AsType[*devices.FieldError](err); err != nil && !inWords {
			t.Errorf("refused without words: %v", err)
		}
		if err == nil && sub.Lat != nil && (*sub.Lat < 4 || *sub.Lat > 24) {
			t.Errorf("took latitude %g", *sub.Lat)
		}
	})
}

func TestShippedCategories(t *testing.T) {
	s, _ := service(t)
	r, err := devices.NewRegistry(context.Background(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	agencies := map[string]bool{}
	for _, a := range r.Agencies() {
		agencies[a.ID] = true
	}
	seen := map[string]bool{}
	for _, c := range s.Categories() {
		if seen[c.ID] || c.ID == "" || c.Name.VI == "" || c.Name.EN == "" || !agencies[c.Agency] {
			t.Errorf("category %+v", c)
		}
		seen[c.ID] = true
	}
}
