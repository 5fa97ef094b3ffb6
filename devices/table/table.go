package table

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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

// Row is one row of a table.
type Row struct {
	Line  int
	cells map[string]string
}

// Get returns the cell of a column, trimmed; empty where there is none.
func (r Row) Get(column string) string { return r.cells[column] }

// Has says whether the table has the column at all: a cell left empty says
// something else than a column left out.
func (r Row) Has(column string) bool {
	_, has := r.cells[column]
	return has
}

// Read reads text as a table of the columns, at most maxRows rows. Rows that are
// empty are passed over. With a fault in the heading there are no rows.
func Read(text string, columns []Column, maxRows int) (rows []Row, faults []Fault) {
	in := csv.NewReader(strings.NewReader(text))
	first, _, _ := strings.Cut(text, "\n")
	in.Comma, in.FieldsPerRecord, in.ReuseRecord = Delimiter(first), -1, true
	heading, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, []Fault{{0, "file", "the file is empty"}}
	}
	if err != nil {
		return nil, []Fault{broken(err)}
	}
	names, faults := readHeading(slices.Clone(heading), columns)
	if len(faults) > 0 {
		return nil, faults
	}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, faults
		}
		if err != nil {
			return rows, append(faults, broken(err)) // where quotes do not match, nothing after is sure
		}
		line, _ := in.FieldPos(0)
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if len(rows) == maxRows {
			return rows, append(faults, Fault{line, "file", fmt.Sprintf("at most %d rows are taken at once", maxRows)})
		}
		row, fault := readRow(line, cells, names)
		if fault != nil {
			faults = append(faults, *fault)
			continue
		}
		rows = append(rows, row)
	}
}

func readRow(line int, cells, names []string) (Row, *Fault) {
	row := Row{line, make(map[string]string, len(names))}
	if len(cells) < len(names) {
		return row, &Fault{line, "file", fmt.Sprintf("the row has %d cells, the heading %d", len(cells), len(names))}
	}
	for i, c := range cells {
		c = strings.TrimSpace(c)
		switch {
		case i < len(names):
			row.cells[names[i]] = c
		case c != "":
			return row, &Fault{line, "file", fmt.Sprintf("the row has %d cells, the heading %d", len(cells), len(names))}
		}
	}
	return row, nil
}

// readHeading turns headings into names of columns.
func readHeading(heading []string, columns []Column) (names []string, faults []Fault) {
	for len(heading) > 0 && strings.TrimSpace(heading[len(heading)-1]) == "" {
		heading = heading[:len(heading)-1] // spreadsheets leave such behind
	}
	var known []string
	for _, c := range columns {
		known = append(known, c.Name)
	}
	for at, h := range heading {
		h = strings.TrimSpace(h)
		i := slices.IndexFunc(columns, func(c Column) bool { return c.is(h) })
		switch {
		case h == "":
			faults = append(faults, Fault{1, fmt.Sprintf("column %d", at+1), "the column has no heading"})
		case i < 0:
			faults = append(faults, Fault{1, clip(h), fmt.Sprintf("there is no column %.40q; the columns are %s", h, strings.Join(known, ", "))})
		case slices.Contains(names, columns[i].Name):
			faults = append(faults, Fault{1, columns[i].Name, fmt.Sprintf("the column %.40q is there twice", h)})
		default:
			names = append(names, columns[i].Name)
		}
	}
	for _, c := range columns {
		if c.Required && !slices.Contains(names, c.Name) {
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

// Delimiter is what parts the columns of a heading: the one it has most of.
func Delimiter(heading string) rune {
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t'} {
		if n := strings.Count(heading, string(d)); n > most {
			best, most = d, n
		}
	}
	return best
}

func broken(err error) Fault {
	if pe, ok := errors.AsType[*csv.ParseError](err); ok {
		return Fault{pe.StartLine, "file", fmt.Sprintf("this is no row of a table: %v", pe.Err)}
	}
	return Fault{0, "file", err.Error()}
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40])
	}
	return s
}
