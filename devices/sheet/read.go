package sheet

import (
	"slices"

	"haidang/devices"
	"haidang/devices/table"
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

// sheet is a file taken apart, not yet understood.
type sheet struct {
	*table.Table
	encoding string
	columns  []*column // those that it has, in its order
}

// read takes a file apart. A file that is no text is a *devices.FieldError; what
// else is wrong is in errs.
func read(data []byte) (s *sheet, errs []RowError, err error) {
	text, encoding, err := table.Text(data)
	if err != nil {
		return nil, nil, &devices.FieldError{Field: "body", Reason: err.Error()}
	}
	t, faults := table.Read(text, headings, MaxRows)
	s = &sheet{Table: t, encoding: encoding}
	for _, f := range faults {
		switch {
		case f.Row == 0:
			f.Row, f.Field = 1, "body"
		case f.Field == "file": // of a row, not of one of its cells
			f.Field = ""
		}
		errs = append(errs, RowError{f.Row, f.Field, "", f.Reason})
	}
	for _, name := range t.Columns {
		i := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		s.columns = append(s.columns, &columns[i])
	}
	if slices.Contains(t.Columns, "lat") != slices.Contains(t.Columns, "lon") {
		errs = append(errs, RowError{1, "lat", "", "lat and lon come together, or not at all"})
		t.Rows = nil
	}
	return s, errs, nil
}
