package sheet

import (
	"encoding/csv"
	"io"

	"haidang/devices"
	"haidang/devices/table"
)

// Write writes devices as a table, as Import takes it: UTF-8, with the mark by
// which spreadsheets know it. Notes are masked; an import leaves them as they are.
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
		d = d.Masked()
		for i, c := range columns {
			cells[i] = c.get(d)
			if c.name != "lat" && c.name != "lon" {
				cells[i] = table.Guard(cells[i])
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
