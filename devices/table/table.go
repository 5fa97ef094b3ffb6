package table

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"haidang/devices"
)

// Column is one that a table may have.
type Column struct {
	// Name is what the column is called in the program.
	Name string
	// Also are other headings by which people know it; case, accents and spaces
	// do not count.
	Also []string
	// Required columns must be there.
	Required bool
}

// Fault is what is wrong with one cell, row or file. Reason is a sentence for
// a person.
type Fault struct {
	// Row is the line of the file on which the row begins, the heading being
	// line 1; in formats without lines, the number of the item, from 1. 0 is the
	// file as a whole.
	Row    int    `json:"row"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Err is the fault as the error of a request that cannot show more than one.
func (f Fault) Err() error {
	if f.Row == 0 {
		return &devices.FieldError{Field: f.Field, Reason: f.Reason}
	}
	return &devices.FieldError{Field: f.Field, Reason: fmt.Sprintf("row %d: %s", f.Row, f.Reason)}
}

// Table is a file taken apart, its cells not yet understood.
type Table struct {
	// Separator is what parts its columns: a comma, a semicolon or a tab.
	Separator rune
	// Columns are the names of those that it has, in its order.
	Columns []string
	Rows    []Row
}

// Row is one row of a table.
type Row struct {
	Line  int
	cells []string
	at    map[string]int // where a column's cell is; shared by all rows
}

// Get returns the cell of a column, trimmed; empty where there is none.
func (r Row) Get(column string) string {
	if i, has := r.at[column]; has {
		return r.cells[i]
	}
	return ""
}

// Has says whether the table has the column at all: a cell left empty says
// something else than a column left out.
func (r Row) Has(column string) bool {
	_, has := r.at[column]
	return has
}

// Read reads text as a table of the columns, at most maxRows rows. Rows that are
// empty are passed over. With a fault in the heading there are no rows.
func Read(text string, columns []Column, maxRows int) (t *Table, faults []Fault) {
	t = &Table{}
	text, skipped, fault := t.separate(text)
	if fault != nil {
		return t, []Fault{*fault}
	}
	in := csv.NewReader(strings.NewReader(text))
	in.Comma, in.FieldsPerRecord, in.ReuseRecord = t.Separator, -1, true
	heading, err := in.Read()
	if errors.Is(err, io.EOF) {
		return t, []Fault{{0, "file", "the file is empty; its first line has the names of the columns: " + known(columns)}}
	}
	if err != nil {
		return t, []Fault{broken(err, skipped)}
	}
	if t.Columns, faults = readHeading(slices.Clone(heading), columns); len(faults) > 0 {
		return t, faults
	}
	at := make(map[string]int, len(t.Columns))
	for i, name := range t.Columns {
		at[name] = i
	}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return t, faults
		}
		if err != nil {
			return t, append(faults, broken(err, skipped)) // where quotes do not match, nothing after is sure
		}
		line, _ := in.FieldPos(0)
		line += skipped
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if len(t.Rows) == maxRows {
			return t, append(faults, Fault{line, "file", fmt.Sprintf("at most %d rows are taken at once; split the file", maxRows)})
		}
		for len(cells) > len(at) && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1] // spreadsheets leave such behind
		}
		if len(cells) != len(at) {
			faults = append(faults, Fault{line, "file", fmt.Sprintf("the row has %d cells, the heading %d; a %s in a text wants quotation marks around it", len(cells), len(at), t.SeparatorName())})
			continue
		}
		row := Row{line, make([]string, len(cells)), at}
		for i, c := range cells {
			row.cells[i] = unguard(strings.TrimSpace(c))
		}
		t.Rows = append(t.Rows, row)
	}
}

// separate finds out what parts the columns. A spreadsheet's own word on that
// may stand on a line before them, as sep=; skipped is how many such there are.
func (t *Table) separate(text string) (rest string, skipped int, fault *Fault) {
	first, rest, _ := strings.Cut(text, "\n")
	if first = strings.TrimRight(first, "\r"); utf8.RuneCountInString(first) != 5 || !strings.EqualFold(first[:4], "sep=") {
		t.Separator = delimiter(first)
		return text, 0, nil
	}
	t.Separator, _ = utf8.DecodeRuneInString(first[4:])
	if t.SeparatorName() == "" {
		return "", 0, &Fault{0, "file", fmt.Sprintf("%q parts no columns; use a comma, a semicolon or a tab", t.Separator)}
	}
	return rest, 1, nil
}

// SeparatorName is what parts the columns, in a word.
func (t *Table) SeparatorName() string {
	return map[rune]string{',': "comma", ';': "semicolon", '\t': "tab"}[t.Separator]
}

// known are the names of columns, for a sentence.
func known(columns []Column) string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// readHeading turns headings into names of columns.
func readHeading(heading []string, columns []Column) (names []string, faults []Fault) {
	for len(heading) > 0 && strings.TrimSpace(heading[len(heading)-1]) == "" {
		heading = heading[:len(heading)-1] // spreadsheets leave such behind
	}
	first := map[string]int{}
	for at, h := range heading {
		h = unguard(strings.TrimSpace(h))
		i := slices.IndexFunc(columns, func(c Column) bool { return c.is(h) })
		if h == "" {
			faults = append(faults, Fault{1, fmt.Sprintf("column %d", at+1), "the column has no heading; known are " + known(columns)})
			continue
		}
		if i < 0 {
			faults = append(faults, Fault{1, clip(h), fmt.Sprintf("column %d: there is no column %.40q; known are %s", at+1, h, known(columns))})
			continue
		}
		if before, twice := first[columns[i].Name]; twice {
			faults = append(faults, Fault{1, columns[i].Name, fmt.Sprintf("this column is there twice, as column %d and %d", before+1, at+1)})
			continue
		}
		first[columns[i].Name] = at
		names = append(names, columns[i].Name)
	}
	for _, c := range columns {
		if _, there := first[c.Name]; c.Required && !there {
			faults = append(faults, Fault{1, c.Name, fmt.Sprintf("the column %s is missing", c.Name)})
		}
	}
	return names, faults
}

func (c Column) is(heading string) bool {
	plain := func(s string) string { return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(devices.Fold(s)) }
	h := plain(heading)
	return h == plain(c.Name) || slices.ContainsFunc(c.Also, func(a string) bool { return h == plain(a) })
}

// delimiter is what parts the columns of a heading: the one it has most of.
func delimiter(heading string) rune {
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t'} {
		if n := strings.Count(heading, string(d)); n > most {
			best, most = d, n
		}
	}
	return best
}

func broken(err error, skipped int) Fault {
	if pe, ok := errors.AsType[*csv.ParseError](err); ok {
		return Fault{pe.StartLine + skipped, "file", fmt.Sprintf("from here on the file cannot be read: %v", pe.Err)}
	}
	return Fault{0, "file", err.Error()}
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40])
	}
	return s
}
