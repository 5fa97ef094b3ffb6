package sheet

import (
	"encoding/csv"
	"io"
	"strings"

	"haidang/devices"
)

// Write writes devices as a table, as Import takes it: UTF-8, with the mark by
// which spreadsheets know it.
func Write(w io.Writer, ds []*devices.Device) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	out.Write(cells)
	for _, d := range ds {
		for i, c := range columns {
			cells[i] = c.get(d)
			if c.name != "lat" && c.name != "lon" {
				cells[i] = guard(cells[i])
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// guard keeps a spreadsheet from taking a text for a formula; unguard takes the
// mark away again.
func guard(s string) string {
	if s != "" && strings.ContainsRune("=+-@'", rune(s[0])) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@'", rune(s[1])) {
		return s[1:]
	}
	return s
}
