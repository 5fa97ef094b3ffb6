package agencies

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"haidang/devices"
	"haidang/devices/table"
)

// MaxFile is how large a file may be, in bytes.
const MaxFile = 2 << 20

const maxRows = 5000

var columns = []table.Column{
	{Name: "id", Also: []string{"mã"}, Required: true},
	{Name: "name", Also: []string{"tên"}, Required: true},
	{Name: "name_en", Also: []string{"tên tiếng Anh"}},
	{Name: "phone", Also: []string{"điện thoại", "số điện thoại"}},
	{Name: "email", Also: []string{"e-mail", "thư điện tử"}},
	{Name: "zalo"},
	{Name: "areas", Also: []string{"địa bàn", "địa bàn phụ trách"}},
	{Name: "categories", Also: []string{"lĩnh vực"}},
	{Name: "calendar", Also: []string{"lịch làm việc"}},
	{Name: "retired", Also: []string{"ngừng hoạt động"}},
}

// Export writes all agencies, retired ones too, as the CSV that Preview takes:
// UTF-8, with the mark by which spreadsheets know it. Lists are written with
// blanks between their codes.
func (s *Store) Export(w io.Writer) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	var heading []string
	for _, c := range columns {
		heading = append(heading, c.Name)
	}
	out.Write(heading)
	for _, a := range s.List("", true) {
		cells := []string{a.ID, a.Name, a.NameEN, a.Phone, a.Email, a.Zalo, strings.Join(a.Areas, " "), strings.Join(a.Categories, " "), a.Calendar, strconv.FormatBool(a.Retired)}
		for i := range cells {
			cells[i] = table.Guard(cells[i])
		}
		out.Write(cells)
	}
	out.Flush()
	return out.Error()
}

// Preview is what an import would do.
type Preview struct {
	// Token stands for this file over the agencies as they now are; Apply wants
	// it. Empty when there are errors.
	Token     string        `json:"token,omitempty"`
	Encoding  string        `json:"encoding"`
	Added     []Change      `json:"added"`
	Changed   []Change      `json:"changed"`
	Unchanged int           `json:"unchanged"`
	Errors    []table.Fault `json:"errors"`
}

// Change is one agency of an import, as it was and as it will be.
type Change struct {
	Row    int     `json:"row"`
	Before *Agency `json:"before,omitempty"`
	After  *Agency `json:"after"`
}

// Preview compares a CSV file with what is there. Agencies that it does not
// name stay, and so does a field for which it has no column.
func (s *Store) Preview(file []byte) *Preview {
	p, _ := s.compare(file)
	return p
}

// Apply does what a preview of the same file showed, all or nothing. When the
// agencies or the file are others since, it is devices.ErrConflict.
func (s *Store) Apply(ctx context.Context, file []byte, token string) (*Preview, error) {
	s.write.Lock()
	defer s.write.Unlock()
	p, edits := s.compare(file)
	if len(p.Errors) > 0 {
		return p, p.Errors[0].Err()
	}
	if token != p.Token {
		return p, fmt.Errorf("the agencies or the file have changed since the preview; look at a new one: %w", devices.ErrConflict)
	}
	if len(edits) == 0 {
		return p, nil
	}
	return p, s.put(ctx, edits)
}

func (s *Store) compare(file []byte) (*Preview, []edit) {
	p := &Preview{Added: []Change{}, Changed: []Change{}, Errors: []table.Fault{}}
	text, encoding, err := table.Text(file)
	if len(file) > MaxFile {
		err = fmt.Errorf("at most %d MB are taken at once", MaxFile>>20)
	}
	if err != nil {
		p.Errors = append(p.Errors, table.Fault{Field: "file", Reason: err.Error()})
		return p, nil
	}
	p.Encoding = encoding
	t, faults := table.Read(text, columns, maxRows)
	p.Errors = append(p.Errors, faults...)
	lines := map[string]int{}
	var edits []edit
	for _, r := range t.Rows {
		before := (*s.now.Load())[key(r.Get("id"))]
		after, err := s.read(r, before)
		if first, twice := lines[key(r.Get("id"))]; err == nil && twice {
			err = &devices.FieldError{Field: "id", Reason: fmt.Sprintf("row %d has the same id", first)}
		}
		if err != nil {
			f := table.Fault{Row: r.Line, Field: "file", Reason: err.Error()}
			if fe, ok := errors.AsType[*devices.FieldError](err); ok {
				f.Field, f.Reason = fe.Field, fe.Reason
			}
			p.Errors = append(p.Errors, f)
			continue
		}
		lines[key(after.ID)] = r.Line
		switch {
		case before == nil:
			p.Added = append(p.Added, Change{r.Line, nil, after})
		case before.equal(*after):
			p.Unchanged++
			continue
		default:
			p.Changed = append(p.Changed, Change{r.Line, before, after})
		}
		edits = append(edits, edit{before, after})
	}
	if len(p.Errors) == 0 {
		p.Token = token(p)
	}
	return p, edits
}

// token stands for what a preview shows, before and after.
func token(p *Preview) string {
	b, _ := json.Marshal(p) // texts and lists: nothing that JSON cannot say
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func (s *Store) read(r table.Row, before *Agency) (*Agency, error) {
	a := Agency{}
	if before != nil {
		a = *before
	}
	a.ID = r.Get("id")
	for name, field := range map[string]*string{"name": &a.Name, "name_en": &a.NameEN, "phone": &a.Phone, "email": &a.Email, "zalo": &a.Zalo, "calendar": &a.Calendar} {
		if r.Has(name) {
			*field = r.Get(name)
		}
	}
	if r.Has("areas") {
		a.Areas = strings.Fields(r.Get("areas"))
	}
	if r.Has("categories") {
		a.Categories = strings.Fields(r.Get("categories"))
	}
	if r.Has("retired") {
		var err error
		if a.Retired, err = strconv.ParseBool(cmp.Or(r.Get("retired"), "false")); err != nil {
			return nil, &devices.FieldError{Field: "retired", Reason: fmt.Sprintf("true or false is wanted, not %.20q", r.Get("retired"))}
		}
	}
	return s.cleaned(a, before)
}
