package agencies_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"haidang/devices"
	"haidang/devices/agencies"
)

// What is exported comes in again and changes nothing.
func TestExportIsImportedUnchanged(t *testing.T) {
	s, _, _ := open(t)
	if _, err := s.Create(t.Context(), ward); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), agencies.Agency{ID: "formula", Name: "=cmd()", Phone: "+84232"}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := s.Export(&out); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), []byte("\uFEFF")) || bytes.Contains(out.Bytes(), []byte(",=")) || bytes.Contains(out.Bytes(), []byte(",+")) {
		t.Errorf("a spreadsheet would misread it, or run it: %s", out.Bytes())
	}
	p := s.Preview(out.Bytes())
	if p.Unchanged != len(s.List("", true)) || len(p.Added)+len(p.Changed)+len(p.Errors) > 0 || p.Unchanged < 10 {
		t.Errorf("%+v", p)
	}
	if _, err := s.Apply(t.Context(), out.Bytes(), p.Token); err != nil {
		t.Error(err)
	}
}

func TestImportChangesWhatItShowed(t *testing.T) {
	s, log, db := open(t)
	file := []byte("\uFEFFMã;Tên;Điện thoại;Địa bàn\nso-y-te;Sở Y tế;0232 1;\nubnd-le-thuy;UBND Lệ Thủy;;le-thuy\n")
	p := s.Preview(file)
	if len(p.Errors) != 0 || len(p.Added) != 1 || len(p.Changed) != 1 || p.Changed[0].Row != 2 || p.Changed[0].Before.Phone != "" || p.Changed[0].After.Phone != "02321" || p.Changed[0].After.NameEN != "Department of Health" {
		t.Fatalf("%+v", p)
	}
	if _, err := s.Get("ubnd-le-thuy"); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("the preview changed something: %v", err)
	}
	if _, err := s.Apply(t.Context(), append(file, "x;X;;\n"...), p.Token); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("another file: %v", err)
	}
	if _, err := s.Apply(t.Context(), file, p.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), file, p.Token); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("the token again: %v", err)
	}
	s = reopen(t, db, log)
	if a, err := s.Get("ubnd-le-thuy"); err != nil || a.Name != "UBND Lệ Thủy" || a.Areas[0] != "le-thuy" {
		t.Errorf("%+v %v", a, err)
	}
	if seq, _, _ := log.Head(t.Context()); seq != 2 {
		t.Errorf("%d entries in the audit log, want 2", seq)
	}
}

func TestBadImportIsToldAtRowAndField(t *testing.T) {
	s, _, _ := open(t)
	for name, c := range map[string]struct {
		file  string
		row   int
		field string
	}{
		"a column":     {"id,name,fax\n", 1, "fax"},
		"an id":        {"id,name\nA B,x\n", 2, "id"},
		"an id twice":  {"id,name\na,x\nb,y\na,z\n", 4, "id"},
		"an area":      {"id,name,areas\na,x,dong-hoi ha-noi\n", 2, "areas"},
		"yes and no":   {"id,name,retired\na,x,có\n", 2, "retired"},
		"a phone":      {"id,name,phone\na,x,1\n", 2, "phone"},
		"half UTF-16":  {"\xff\xfei", 0, "file"},
		"UTF-16":       {"\xff\xfei\x00d\x00", 1, "name"},
		"a row short":  {"id,name\na\n", 2, "file"},
		"much too big": {"id,name\n" + strings.Repeat("a,b\n", 1<<20), 0, "file"},
	} {
		p := s.Preview([]byte(c.file))
		if len(p.Errors) == 0 || p.Errors[0].Row != c.row || p.Errors[0].Field != c.field || p.Token != "" {
			t.Errorf("%s: %+v", name, p.Errors)
		}
		_, err := s.Apply(t.Context(), []byte(c.file), "")
		if _, told := errors.AsType[*devices.FieldError](err); !told {
			t.Errorf("%s was applied: %v", name, err)
		}
	}
}

func FuzzImport(f *testing.F) {
	s, _, _ := open(f)
	for _, seed := range []string{"", "id,name\na,A\n", "Mã;Tên;Địa bàn\nso-y-te;Y tế;dong-hoi\n", "id,name,retired\na,A,maybe\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		p := s.Preview(file)
		if (p.Token == "") != (len(p.Errors) > 0) {
			t.Errorf("%+v, token %q", p.Errors, p.Token)
		}
		for _, e := range p.Errors {
			if e.Field == "" || e.Reason == "" || e.Row < 0 {
				t.Errorf("an error without words: %+v", e)
			}
		}
	})
}
