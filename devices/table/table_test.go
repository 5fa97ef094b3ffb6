package table_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"haidang/devices/table"
)

var columns = []table.Column{{Name: "code", Also: []string{"mã"}, Required: true}, {Name: "name", Also: []string{"tên gọi"}, Required: true}, {Name: "note"}}

// The same two rows, however they were written, are the same.
func TestSpellingsOfATable(t *testing.T) {
	const plain = "code,name,note\nqb,Quảng Bình,\n\ndh,\"Đồng Hới, thành phố\",x\n"
	// Windows-1258 writes the tone marks apart from the letters.
	apart := strings.NewReplacer("ả", "a\u0309", "ì", "i\u0300", "ồ", "ô\u0300", "ớ", "ơ\u0301", "ố", "ô\u0301").Replace(plain)
	old, err := charmap.Windows1258.NewEncoder().String(apart)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, encoding string }{
		"plain":        {plain, table.UTF8},
		"BOM":          {"\uFEFF" + plain, table.UTF8},
		"decomposed":   {norm.NFD.String(plain), table.UTF8},
		"Windows-1258": {old, table.Windows1258},
		"UTF-16":       {wide, table.UTF16},
		"CRLF":         {strings.ReplaceAll(plain, "\n", "\r\n"), table.UTF8},
		"semicolons":   {"MÃ;Tên  gọi;note\nqb;Quảng Bình;\n;;\ndh;Đồng Hới, thành phố;x", table.UTF8},
		"sep=;":        {"sep=;\r\ncode;name;note\nqb;Quảng Bình;\ndh;Đồng Hới, thành phố;x", table.UTF8},
		"tabs":         {"ma\tTEN_GOI\tNote\t\nqb\t Quảng Bình \t\t\n\ndh\tĐồng Hới, thành phố\tx\t", table.UTF8},
	} {
		t.Run(name, func(t *testing.T) {
			text, encoding, err := table.Text([]byte(c.file))
			if err != nil || encoding != c.encoding {
				t.Fatal(encoding, err)
			}
			read, faults := table.Read(text, columns, 10)
			if len(faults) > 0 || len(read.Rows) != 2 {
				t.Fatalf("%+v, faults %+v", read, faults)
			}
			rows := read.Rows
			for i, want := range []string{"qb|Quảng Bình|", "dh|Đồng Hới, thành phố|x"} {
				if got := rows[i].Get("code") + "|" + rows[i].Get("name") + "|" + rows[i].Get("note"); got != want {
					t.Errorf("row %d is %q, want %q", i, got, want)
				}
			}
			if rows[1].Line != 4 {
				t.Errorf("the second row stands on line %d", rows[1].Line)
			}
		})
	}
}

func TestFaultsOfATable(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		row   int
		field string
		says  string
	}{
		"empty":             {"", 0, "file", "empty"},
		"an unknown one":    {"code,name,colour\n", 1, "colour", "no column"},
		"one without name":  {"code,,name\n", 1, "column 2", "no heading"},
		"one missing":       {"code,note\na,b\n", 1, "name", "missing"},
		"one doubled":       {"code,name,mã\n", 1, "code", "twice"},
		"a cell too few":    {"code,name\na,b\nc\n", 3, "file", "1 cells"},
		"a cell too many":   {"code,name\na,b,c\n", 2, "file", "3 cells"},
		"quotes unmatched":  {"code,name\na,\"b\nc,d\n", 2, "file", "cannot be read"},
		"no separator":      {"sep=|\ncode|name\n", 0, "file", "parts no columns"},
		"after a separator": {"sep=;\ncode;name\na;b\nc\n", 4, "file", "1 cells"},
		"too many rows":     {"code,name\na,b\nc,d\ne,f\n", 4, "file", "at most 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := table.Read(c.file, columns, 2)
			if len(faults) != 1 || faults[0].Row != c.row || faults[0].Field != c.field || !strings.Contains(faults[0].Reason, c.says) {
				t.Errorf("%+v", faults)
			}
		})
	}
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	for name, b := range map[string]string{"half of UTF-16": "\xff\xfec", "broken UTF-8": "tên,Trạm Đồng Hới\n\xe1\xba", "a picture": "\x89PNG\r\n\x1a\n\x00\x01", "a NUL": "code\x00", "no code page": "code\x8a\xd2"} {
		if text, enc, err := table.Text([]byte(b)); err == nil {
			t.Errorf("%s was read as %s %q", name, enc, text)
		}
	}
}

// A text is read as what it was, and is no formula to a spreadsheet.
func TestGuardedTextComesBack(t *testing.T) {
	for _, text := range []string{"=cmd()", "+84", "-1", "@a", "'nháy", "''", "thường", ""} {
		guarded := table.Guard(text)
		if guarded != "" && strings.ContainsRune("=+-@", rune(guarded[0])) {
			t.Errorf("a spreadsheet would run %q", guarded)
		}
		read, faults := table.Read("code,name\nx,"+guarded+"\n", columns, 1)
		if len(faults) > 0 || read.Rows[0].Get("name") != text {
			t.Errorf("%q came back as %+v, %v", text, read.Rows, faults)
		}
	}
}
