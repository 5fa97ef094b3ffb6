package sheet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
	"haidang/devices/sheet"
	"haidang/devices/statedb"
)

type house struct {
	*devices.Registry
	*sheet.Imports
	log  *audit.Log
	keys *credentials.Store
	path string
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{path: filepath.Join(t.TempDir(), "state.db")}
	db, err := statedb.Open(h.path)
	if err != nil {
		t.Fatal(err)
	}
	if h.Registry, err = devices.NewRegistry(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if h.log, err = audit.Open(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if h.keys, err = credentials.Open(t.Context(), db, credentials.Options{Registry: h.Registry, Audit: h.log, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	h.Imports = sheet.NewImports(h.Registry, h.keys, nil)
	t.Cleanup(func() {
		h.Imports.Close()
		db.Close()
	})
	return h
}

// take imports a table to its end.
func (h *house) take(t testing.TB, data string, o sheet.Options) sheet.Import {
	t.Helper()
	i, err := h.Start(t.Context(), []byte(data), o)
	if err != nil {
		t.Fatal(err)
	}
	i, err = h.Wait(context.Background(), i.ID)
	if _, wrong := errors.AsType[*devices.FieldError](err); err != nil && !wrong {
		t.Fatal(err)
	}
	return i
}

func (h *house) count() int { return h.Count(devices.Filter{Lives: devices.Lives()}) }

func (h *house) must(t *testing.T, ds ...devices.Device) {
	t.Helper()
	if err := h.Upsert(t.Context(), ds); err != nil {
		t.Fatal(err)
	}
}

const good = "id,type,name,area,lat,lon,interval_s,agency,vendor,installed_at,labels,notes\n" +
	"qb-1,air_station,Trạm Đồng Hới,dong-hoi,17.468,106.622,300,so-nnmt,Envitech,2026-11-20,ven biển|cao,\"Chìa khóa, ở UBND\nlầu 2\"\n" +
	"qb-2,water_level,,,,,,,,,,\n"

// The same table in every form in which spreadsheets save it.
func TestTableIsReadInEveryForm(t *testing.T) {
	old, err := charmap.Windows1258.NewEncoder().String(for1258(good))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ data, encoding, separator string }{
		"plain":         {good, "utf-8", "comma"},
		"with a mark":   {"\uFEFF" + good, "utf-8", "comma"},
		"CRLF":          {strings.ReplaceAll(good, "\n", "\r\n"), "utf-8", "comma"},
		"semicolons":    {strings.ReplaceAll(strings.ReplaceAll(good, ", ở", " ở"), ",", ";"), "utf-8", "semicolon"},
		"tabs":          {strings.ReplaceAll(strings.ReplaceAll(good, ", ở", " ở"), ",", "\t"), "utf-8", "tab"},
		"sep=;":         {"sep=;\r\n" + strings.ReplaceAll(strings.ReplaceAll(good, ", ở", " ở"), ",", ";"), "utf-8", "semicolon"},
		"decomposed":    {norm.NFD.String(good), "utf-8", "comma"},
		"Windows-1258":  {old, "windows-1258", "comma"},
		"UTF-16":        {wide, "utf-16", "comma"},
		"spelt freely":  {strings.Replace(good, "id,type,name,area,lat,lon", "ma thiet bi,LOAI,Ten Thiet Bi,ĐỊA BÀN,vi_do,Kinh-độ", 1), "utf-8", "comma"},
		"in Vietnamese": {strings.Replace(good, "id,type,name,area,lat,lon", "Mã thiết bị,Loại,TÊN,Địa bàn,Vĩ độ,Kinh độ", 1), "utf-8", "comma"},
		"more columns":  {strings.ReplaceAll(strings.Replace(good, "notes\n", "notes,,\n", 1), ",,,,,,,,,,\n", ",,,,,,,,,,,,\n"), "utf-8", "comma"},
		"empty rows":    {good + ",,,,,,,,,,,\n\n", "utf-8", "comma"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			i := h.take(t, c.data, sheet.Options{By: "lan"})
			if i.State != sheet.Done || i.Created != 2 || i.Encoding != c.encoding || i.Separator != c.separator {
				t.Fatalf("%+v", i)
			}
			d, ok := h.Registry.Get("qb-1")
			if !ok || d.Name != "Trạm Đồng Hới" || d.Area != "dong-hoi" || *d.Position != (devices.Position{Lat: 17.468, Lon: 106.622}) || d.Interval.Seconds() != 300 || d.Agency != "so-nnmt" ||
				d.InstalledAt != "2026-11-20" || strings.Join(d.Labels, "+") != "ven biển+cao" || !strings.HasPrefix(d.Notes, "Chìa khóa") || !strings.HasSuffix(d.Notes, "lầu 2") {
				t.Errorf("imported %+v", d)
			}
		})
	}
}

// for1258 takes letters apart as the old code page has them: a letter with its
// own mark, and the tone by itself.
func for1258(s string) string {
	encodes := func(s string) bool {
		_, err := charmap.Windows1258.NewEncoder().String(s)
		return err == nil
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		forms := []string{string(r)}
		if p := []rune(norm.NFD.String(string(r))); len(p) > 1 {
			for k := 1; k < len(p); k++ {
				rest := append(append([]rune{}, p[1:k]...), p[k+1:]...)
				forms = append(forms, norm.NFC.String(string([]rune{p[0], p[k]}))+string(rest))
			}
			forms = append(forms, string(p))
		}
		for _, f := range forms {
			if encodes(f) {
				b.WriteString(f)
				break
			}
		}
	}
	return b.String()
}

// Whatever is wrong, the row and the column are named, and nothing is changed.
func TestWhatIsWrongIsNamed(t *testing.T) {
	const head = "id,type,name,lat,lon,interval_s\n"
	for name, c := range map[string]struct {
		data        string
		row         int
		column, say string
	}{
		"nothing":                     {"", 1, "body", "empty"},
		"no id column":                {"type,name\ngeneric,a\n", 1, "id", "missing"},
		"an unknown column":           {"id,type,colour\na,generic,red\n", 1, "colour", "column 3: there is no column \"colour\"; known are id, type"},
		"a column twice":              {"id,type,name,Tên\na,generic,x,y\n", 1, "name", "twice, as column 3 and 4"},
		"a column without a name":     {"id,,type\na,,generic\n", 1, "column 2", "no heading"},
		"lat without lon":             {"id,type,lat\na,generic,17\n", 1, "lat", "together"},
		"a row too short":             {head + "a,generic\n", 2, "", "the row has 2 cells, the heading 6"},
		"a row too long":              {head + "a,generic,Trạm 1, cầu 2,17,106,60\n", 2, "", "quotation marks"},
		"a stray quote":               {head + "b,generic,,,,\na,generic,\"x,17,106,60\n", 3, "", "cannot be read"},
		"no id":                       {head + ",generic,x,17,106,60\n", 2, "id", "not which device"},
		"no type":                     {head + "a,,x,17,106,60\n", 2, "type", "no device type"},
		"an unknown type":             {head + "a,toaster,x,17,106,60\n", 2, "type", "no device type"},
		"half a position":             {head + "a,generic,x,17,,60\n", 2, "lat", "together"},
		"swapped":                     {head + "a,generic,x,106,17,60\n", 2, "lat", "latitude goes from"},
		"no number":                   {head + "a,generic,x,north,106,60\n", 2, "lat", "no number"},
		"hexadecimal":                 {head + "a,generic,x,0x11,106,60\n", 2, "lat", "no number"},
		"infinite":                    {head + "a,generic,x,17,Inf,60\n", 2, "lon", "no number"},
		"a decimal comma":             {strings.ReplaceAll(head, ",", ";") + "a;generic;x;17,5;106;60\n", 2, "lat", "decimal=comma"},
		"an interval below 0":         {head + "a,generic,x,17,106,-1\n", 2, "interval_s", "between 0"},
		"an id twice":                 {head + "a,generic,,,,\nb,generic,,,,\na,generic,,,,\n", 4, "id", "in line 2 too"},
		"an id in another case":       {head + "qb-Air,generic,,,,\nQB-air,generic,,,,\n", 3, "id", "capitals make no difference"},
		"Đ in an id":                  {head + "ĐH-1,generic,,,,\n", 2, "id", "Đ (U+0110)"},
		"Ð in an id":                  {head + "Ð-1,generic,,,,\n", 2, "id", "\"D-1\" would do"},
		"ids that look the same":      {head + "DH-1,generic,,,,\nĐH-1,generic,,,,\n", 3, "id", "line 2 has DH-1, which looks the same"},
		"a bad id":                    {head + "a/b,generic,,,,\n", 2, "id", "is not a device id"},
		"an unknown gateway":          {"id,type,gateway\na,generic,gw\n", 2, "gateway", "is no device"},
		"a gateway of itself":         {"id,type,gateway\na,generic,b\nb,generic,a\n", 2, "gateway", "itself"},
		"an unknown agency":           {"id,type,agency\na,generic,x\n", 2, "agency", "no agency"},
		"a wrong day":                 {"id,type,installed_at\na,generic,20/11/2026\n", 2, "installed_at", "YYYY-MM-DD"},
		"another life":                {"id,life\nold,retired\n", 2, "life", "one by one"},
		"a life that is none":         {"id,type,life\na,generic,dead\n", 2, "life", "unknown"},
		"UTF-8 that is broken":        {head + "a,generic,Trạm Đồng Hới,,,\nb,generic,Tr\xe1\xba,,,\n", 1, "body", "line 3"},
		"bytes that are no text":      {head + "a,generic,\x00,,,\n", 1, "body", "line 2"},
		"a separator that parts none": {"sep=|\nid|type\n", 1, "body", "parts no columns"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.must(t, devices.Device{ID: "old", Type: "generic"})
			for _, dry := range []bool{true, false} {
				i := h.take(t, c.data, sheet.Options{DryRun: dry})
				if i.State != sheet.Refused || i.ErrorCount != len(i.Errors) || len(i.Errors) == 0 {
					t.Fatalf("%+v", i)
				}
				found := false
				for _, e := range i.Errors {
					found = found || e.Row == c.row && e.Column == c.column && strings.Contains(e.Reason, c.say)
				}
				if !found {
					t.Errorf("got %+v, want row %d, column %q, %q", i.Errors, c.row, c.column, c.say)
				}
			}
			if n := h.count(); n != 1 {
				t.Errorf("%d devices, want the one that was there", n)
			}
		})
	}
}

// Whoever mends a row mends all of it at once.
func TestAllThatIsWrongInARowIsTold(t *testing.T) {
	i := open(t).take(t, "id;type;lat;lon;interval_s\nĐ-1;generic;17,5;106,5;bốn\n", sheet.Options{DryRun: true})
	var columns []string
	for _, e := range i.Errors {
		columns = append(columns, e.Column)
	}
	if got := strings.Join(columns, " "); got != "id lat lon interval_s" {
		t.Errorf("told are %s: %+v", got, i.Errors)
	}
}

func TestDecimalCommaIsTakenWhenSaid(t *testing.T) {
	h := open(t)
	comma := sheet.Options{DecimalComma: true}
	if i := h.take(t, "id;type;lat;lon\na;generic;17,5;106,25\n", comma); i.State != sheet.Done {
		t.Fatalf("%+v", i)
	}
	if d, _ := h.Registry.Get("a"); *d.Position != (devices.Position{Lat: 17.5, Lon: 106.25}) {
		t.Errorf("at %+v", *d.Position)
	}
	if i := h.take(t, "id;type;lat;lon\nb;generic;17.5;106,25\n", comma); i.State != sheet.Refused || i.Errors[0].Column != "lat" || !strings.Contains(i.Errors[0].Reason, "decimal=comma") {
		t.Errorf("%+v", i)
	}
}

func TestDryRunSaysWhatWouldChange(t *testing.T) {
	h := open(t)
	h.must(t, devices.Device{ID: "QB-1", Type: "air_station", Name: "cũ", Vendor: "A", Position: &devices.Position{Lat: 17, Lon: 106}}, devices.Device{ID: "qb-2", Type: "generic", Name: "như cũ"})
	const data = "id,type,name,lat,lon\nqb-1,air_station,mới,17,106\nqb-2,generic,như cũ,,\nqb-3,generic,,,\n"
	before, _, err := h.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := h.take(t, data, sheet.Options{DryRun: true})
	if i.State != sheet.Done || i.Created != 1 || i.Updated != 1 || i.Unchanged != 1 || len(i.Changes) != 1 || i.Changes[0] != (sheet.CellChange{Row: 2, ID: "QB-1", Column: "name", Before: "cũ", After: "mới"}) {
		t.Errorf("%+v", i)
	}
	if after, _, _ := h.log.Head(t.Context()); h.count() != 2 || after != before {
		t.Error("a dry run changed something")
	}
	if i := h.take(t, data, sheet.Options{By: "lan"}); i.State != sheet.Done || h.count() != 3 {
		t.Errorf("%+v", i)
	}
	// What has no column stays, and so does the id as first written.
	if d, _ := h.Registry.Get("qb-1"); d.ID != "QB-1" || d.Name != "mới" || d.Vendor != "A" || d.Position == nil {
		t.Errorf("imported %+v", d)
	}
	es, err := h.log.List(t.Context(), audit.Filter{})
	if err != nil || len(es) < 3 || es[0].Action != "device.create" || es[1].Action != "device.update" || es[2].Action != "device.import" || !bytes.Contains(es[2].After, []byte(`"sha256"`)) {
		t.Errorf("recorded %+v, %v", es, err)
	}
}

func TestSecretsAreShownOnce(t *testing.T) {
	h := open(t)
	h.must(t, devices.Device{ID: "old", Type: "generic"})
	i := h.take(t, "id,type\nnew,generic\nold,air_station\n", sheet.Options{Secrets: true})
	if i.State != sheet.Done || i.Secrets != 1 {
		t.Fatalf("%+v", i)
	}
	text, err := h.Secrets(i.ID)
	id, secret, _ := strings.Cut(strings.TrimPrefix(string(text), "id,secret\n"), ",")
	_, signed := h.keys.SignIn("new", strings.TrimSpace(secret), "192.0.2.1:9")
	if err != nil || id != "new" || signed != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := h.Secrets(i.ID); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("shown again: %v", err)
	}
}

// What is written is read as what it was, whatever stands in it.
func TestTableComesBack(t *testing.T) {
	h := open(t)
	h.must(t,
		devices.Device{ID: "gw", Type: "generic", Name: "=HYPERLINK(\"http://x\")", Notes: "-1, \"hai\"\nba;bốn\t'năm"},
		devices.Device{ID: "a", Type: "air_station", Name: "'nháy", Area: "dong-hoi", Position: &devices.Position{Lat: 0, Lon: -0.5}, Interval: 1500e6, Agency: "so-nnmt", Vendor: "@v", Network: "4G",
			Cohort: "+84", Gateway: "gw", Serial: "S", Model: "M", Firmware: "1", InstalledAt: "2026-01-02", Labels: []string{"x", "đ"}})
	var b bytes.Buffer
	if err := sheet.Write(&b, h.Registry.List(devices.Filter{})); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		for _, cell := range strings.Split(line, ",") {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "\"=") || strings.HasPrefix(cell, "@") {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
	if i := h.take(t, b.String(), sheet.Options{}); i.State != sheet.Done || i.Unchanged != 2 {
		t.Errorf("into the same registry: %+v", i)
	}
	other := open(t)
	if i := other.take(t, b.String(), sheet.Options{}); i.State != sheet.Done || i.Created != 2 {
		t.Fatalf("into another: %+v", i)
	}
	var again bytes.Buffer
	if err := sheet.Write(&again, other.Registry.List(devices.Filter{})); err != nil || again.String() != b.String() {
		t.Errorf("%v\n%s\n%s", err, b.String(), again.String())
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{good, "id;type\na;generic\n", "\xff\xfei\x00d\x00", "sep=\t\nid\n", "id,lat,lon\na,1,2\n", "id\n\"a", "Mã,Loại\nĐ,x\n"} {
		f.Add([]byte(s))
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		i := h.take(t, string(data), sheet.Options{DryRun: true})
		if i.State != sheet.Done && (i.State != sheet.Refused || len(i.Errors) == 0) {
			t.Errorf("%+v", i)
		}
		for _, e := range i.Errors {
			if e.Reason == "" || e.Row < 1 {
				t.Errorf("%+v of %q", e, data)
			}
		}
	})
}

// table is one of n rows.
func table(n int, end string) string {
	var b strings.Builder
	b.WriteString("id,type,name,area,lat,lon,vendor\n")
	for i := range n {
		fmt.Fprintf(&b, "qb-%06d,air_station,Trạm số %d,dong-hoi,17.%04d,106.5,Envitech\n", i, i, i%10000)
	}
	return b.String() + end
}
