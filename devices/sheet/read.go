package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"haidang/devices"
	tables "haidang/devices/table"
)

// MaxBytes and MaxRows bound a table.
const (
	MaxBytes = 64 << 20
	MaxRows  = 200_000
)

// RowError is what is wrong in one cell.
type RowError struct {
	// Row is the line of the file on which the row begins, as an editor counts.
	Row    int    `json:"row"`
	Column string `json:"column"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// table is a file taken apart, not yet understood.
type table struct {
	encoding, separator string
	columns             []*column
	rows                []row
}

type row struct {
	line  int
	cells []string // as many as columns
}

// readTable takes a file apart. What is wrong with it as a whole is a
// *devices.FieldError; rows that cannot be read are in errs.
func readTable(data []byte) (t *table, errs []RowError, err error) {
	text, encoding, err := decode(data)
	if err != nil {
		return nil, nil, err
	}
	t = &table{encoding: encoding}
	// A spreadsheet's own word on what parts columns stands on a line before them.
	skipped := 0
	sep := ','
	if first, rest, _ := strings.Cut(text, "\n"); len(strings.TrimRight(first, "\r")) == 5 && strings.HasPrefix(strings.ToLower(first), "sep=") {
		sep, text, skipped = rune(first[4]), rest, 1
	} else {
		sep = tables.Delimiter(first)
	}
	t.separator = map[rune]string{',': "comma", ';': "semicolon", '\t': "tab"}[sep]
	if t.separator == "" {
		return nil, nil, body("%q parts no columns; use a comma, a semicolon or a tab", sep)
	}
	rd := csv.NewReader(strings.NewReader(text))
	rd.Comma, rd.FieldsPerRecord = sep, -1
	names, err := rd.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, body("the file is empty; its first line has the names of the columns: %s", known())
	}
	if err != nil {
		return nil, nil, body("line 1: the names of the columns cannot be read: %s", cause(err))
	}
	if err := t.readHeader(names); err != nil {
		return nil, nil, err
	}
	for {
		cells, err := rd.Read()
		if errors.Is(err, io.EOF) {
			return t, errs, nil
		}
		if err != nil {
			at := 0
			if p, ok := errors.AsType[*csv.ParseError](err); ok {
				at = p.StartLine + skipped
			}
			// After a stray quote nothing can be trusted.
			return t, append(errs, RowError{at, "", "", "from here on the file cannot be read: " + cause(err)}), nil
		}
		line, _ := rd.FieldPos(0)
		line += skipped
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if len(t.rows) == MaxRows {
			return nil, nil, body("line %d: the file has more than %d rows; split it", line, MaxRows)
		}
		for len(cells) > len(t.columns) && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		if len(cells) != len(t.columns) {
			errs = append(errs, RowError{line, "", "", fmt.Sprintf("the row has %d columns, the first line %d; a comma in a text wants quotation marks around it", len(cells), len(t.columns))})
			continue
		}
		for i := range cells {
			cells[i] = unguard(strings.TrimSpace(cells[i]))
		}
		t.rows = append(t.rows, row{line, cells})
	}
}

func cause(err error) string {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// readHeader finds the columns. Spreadsheets leave columns without a name behind
// the last one; those are dropped.
func (t *table) readHeader(names []string) error {
	for len(names) > 0 && strings.TrimSpace(names[len(names)-1]) == "" {
		names = names[:len(names)-1]
	}
	at := map[string]int{}
	for i, n := range names {
		c := columnOf(n)
		if c == nil {
			if n = strings.TrimSpace(n); n == "" {
				return body("column %d has no name; known are %s", i+1, known())
			}
			return &devices.FieldError{Field: fmt.Sprintf("%.60s", n), Reason: fmt.Sprintf("column %d: there is no such column; known are %s", i+1, known())}
		}
		if first, twice := at[c.name]; twice {
			return &devices.FieldError{Field: c.name, Reason: fmt.Sprintf("this column is there twice, as column %d and %d", first+1, i+1)}
		}
		at[c.name] = i
		t.columns = append(t.columns, c)
	}
	if _, ok := at["id"]; !ok {
		return &devices.FieldError{Field: "id", Reason: "this column is missing; without it no row says which device it is of"}
	}
	_, lat := at["lat"]
	_, lon := at["lon"]
	if lat != lon {
		return &devices.FieldError{Field: "lat", Reason: "lat and lon come together, or not at all"}
	}
	return nil
}
