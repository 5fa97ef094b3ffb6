package areas_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/audit"
)

// fields are changes given as name, before, after.
func fields(words ...string) (fs []areas.FieldChange) {
	for i := 0; i < len(words); i += 3 {
		fs = append(fs, areas.FieldChange{Field: words[i], Before: words[i+1], After: words[i+2]})
	}
	return fs
}

func TestPreviewShowsWhatApplyDoes(t *testing.T) {
	s, log, db := open(t)
	const old = "a,Nam Lý,Phường,quang-tri,2025-07-01,,"
	apply(t, s, table(old, "b,Bắc Lý,Phường,quang-tri,2025-07-01,,", "c,Hải Thành,Xã,quang-tri,2025-07-01,,"))
	if _, err := s.Get("a", "2025-06-30"); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("a day before it began: %v", err)
	}
	file := []byte(table(old, "b,Bắc Lý,Phường,quang-tri,2025-07-01,2026-09-20,", "b,Bắc Lý Mới,Xã,quang-tri,2026-09-20,,", "c,Hải Thành,Phường,quang-tri,2025-07-01,,"))
	p := s.Preview(file)
	want := areas.Preview{Token: p.Token, Format: "csv", Encoding: "utf-8", Ignored: []string{}, Unchanged: 1,
		Added:   []areas.Change{{Row: 4, Code: "b", ValidFrom: "2026-09-20", Name: "Bắc Lý Mới", Fields: fields("name", "", "Bắc Lý Mới", "type", "", "commune", "parent", "", "quang-tri", "valid_from", "", "2026-09-20")}},
		Changed: []areas.Change{{Row: 5, Code: "c", ValidFrom: "2025-07-01", Name: "Hải Thành", Fields: fields("type", "commune", "ward")}},
		Ended:   []areas.Change{{Row: 3, Code: "b", ValidFrom: "2025-07-01", Name: "Bắc Lý", Fields: fields("valid_to", "", "2026-09-20")}},
		Errors:  p.Errors}
	if !reflect.DeepEqual(*p, want) || p.ErrorCount != 0 {
		t.Errorf("preview\n%+v, want\n%+v", *p, want)
	}
	if v, _ := s.Get("c", "2026-01-01"); v.Type != areas.Commune {
		t.Error("the preview changed something")
	}
	if _, err := s.Apply(audit.As(t.Context(), audit.Actor{Who: "lan"}), file, p.Token); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and again, from the disk
		for at, name := range map[areas.Day]string{"2026-09-19": "Bắc Lý", "2026-09-20": "Bắc Lý Mới"} {
			if v, err := s.Get("B", at); err != nil || v.Name != name {
				t.Errorf("on %s: %+v, %v", at, v, err)
			}
		}
		was, _ := s.Get("b", "2026-09-19")
		if next := s.Successors(was); len(next) != 1 || next[0].Share != 1 || next[0].Kind != areas.Continued || next[0].Name != "Bắc Lý Mới" {
			t.Errorf("went on as %+v", next)
		}
		s = reopen(t, db, log)
	}
	es, err := log.List(t.Context(), audit.Filter{Who: "lan"})
	if err != nil || len(es) != 3 || es[0].Action != "area.update" || es[0].ID != "c@2025-07-01" || !strings.Contains(string(es[0].Before), `"commune"`) || !strings.Contains(string(es[0].After), `"ward"`) {
		t.Errorf("audit: %+v, %v", es, err)
	}
}

// What is applied is what was seen: another file, or other areas, are not.
func TestTokenHoldsForItsPreviewAlone(t *testing.T) {
	s, _, _ := open(t)
	file, other := []byte(table("a,A,Xã,,2025-07-01,,")), []byte(table("a,B,Xã,,2025-07-01,,"))
	token := s.Preview(file).Token
	for name, c := range map[string]struct {
		file  []byte
		token string
	}{"another file": {other, token}, "no token": {file, ""}, "a token made up": {file, strings.Repeat("0", 32)}, "a token cut": {file, token[:31]}} {
		if _, err := s.Apply(t.Context(), c.file, c.token); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	apply(t, s, string(other))
	if _, err := s.Apply(t.Context(), file, token); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("after others changed the areas: %v", err)
	}
	if v, err := s.Get("a", "2026-01-01"); err != nil || v.Name != "B" {
		t.Errorf("%+v %v", v, err)
	}
}

// A write that fails in the middle leaves everything as it was.
func TestImportIsAllOrNothing(t *testing.T) {
	s, log, db := open(t)
	if _, err := db.Exec(`CREATE TRIGGER no_b BEFORE INSERT ON area WHEN NEW.code = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END`); err != nil {
		t.Fatal(err)
	}
	file := []byte(table("a,A,Xã,,2025-07-01,,", "b,B,Xã,,2025-07-01,,"))
	token := s.Preview(file).Token
	if _, err := s.Apply(context.Background(), file, token); err == nil {
		t.Fatal("applied")
	}
	for range 2 {
		if _, err := s.Get("a", "2026-01-01"); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("half of it is there: %v", err)
		}
		s = reopen(t, db, log)
	}
	if seq, _, err := log.Head(t.Context()); seq != 0 || err != nil {
		t.Errorf("the audit log has %d entries of it, %v", seq, err)
	}
}

// What a file does not say stays: a CSV changes names, and keeps borders.
func TestFieldsThatAreNotGivenStay(t *testing.T) {
	s, _, _ := open(t)
	apply(t, s, collection(feature(`"code":"a","name":"A","type":"Xã","parent":"quang-tri","valid_from":"2025-07-01","source":"NQ 1","OBJECTID":7`, box(106, 17, 106.2, 17.2))))
	p := apply(t, s, "code;name;type;valid_from\na;Á;Xã;01/07/2025\n")
	if len(p.Changed) != 1 || len(p.Changed[0].Fields) != 1 {
		t.Errorf("%+v", p)
	}
	v, err := s.Get("a", "2025-07-01")
	if err != nil || v.Name != "Á" || v.Parent != "quang-tri" || v.Source != "NQ 1" || len(v.Geometry) != 1 {
		t.Errorf("%+v %v", v, err)
	}
	p = s.Preview([]byte(collection(feature(`"code":"a","name":"Á","type":"Xã","valid_from":"2025-07-01","OBJECTID":7`, box(106, 17, 106.3, 17.2)))))
	if fmt.Sprint(p.Ignored) != "[OBJECTID]" || len(p.Changed) != 1 || p.Changed[0].Fields[0].Field != "geometry" {
		t.Errorf("%+v", p)
	}
}

// A file of an old Vietnamese Windows is read, and says so; so is one that takes
// letters apart.
func TestOldSpellingsOfAFile(t *testing.T) {
	file := table("a,Hòa Đồng,Phường,quang-tri,2025-07-01,,")
	apart := strings.NewReplacer("ò", "o\u0300", "ồ", "ô\u0300", "ờ", "ơ\u0300").Replace(file)
	codePage, err := charmap.Windows1258.NewEncoder().String(apart)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, encoding string }{"code page": {codePage, "windows-1258"}, "decomposed": {"\uFEFF" + norm.NFD.String(file), "utf-8"},
		"GeoJSON": {collection(feature(`"code":"a","name":"Ho\u0300a Đo\u0302\u0300ng","type":"Phường","parent":"quang-tri","valid_from":"2025-07-01"`, "")), "utf-8"}} {
		s, _, _ := open(t)
		p := apply(t, s, c.file)
		if v, err := s.Get("a", "2025-07-01"); err != nil || v.Name != "Hòa Đồng" || v.Type != areas.Ward || p.Encoding != c.encoding {
			t.Errorf("%s: %+v %v, read as %s", name, v, err, p.Encoding)
		}
	}
}
