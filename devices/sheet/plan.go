package sheet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"haidang/devices"
	"haidang/devices/personal"
	"haidang/devices/table"
)

// Registry is what a table is compared with.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
	Check(d devices.Device, also map[string]*devices.Device) (devices.Device, error)
}

// CellChange is one cell that would be, or was, changed in a device that exists.
type CellChange struct {
	Row    int        `json:"row"`
	ID     devices.ID `json:"id"`
	Column string     `json:"column"`
	Before string     `json:"before"`
	After  string     `json:"after"`
}

// plan is what a table would change.
type plan struct {
	changes                     []devices.Change
	created, updated, unchanged int
	cells                       []CellChange // the first maxTold
	errs                        []RowError
}

// maxTold is how many errors and changes are told one by one.
const maxTold = 1000

// draft is a device of a row.
type draft struct {
	table.Row
	old  *devices.Device
	next devices.Device
}

// compare finds out what a table would change, and all that is wrong with it.
// done is told how many rows are looked at.
func (t *sheet) compare(ctx context.Context, reg Registry, m marks, done func(n int)) (*plan, error) {
	p := &plan{}
	drafts := make([]draft, 0, len(t.Rows))
	also := make(map[string]*devices.Device, len(t.Rows))
	seen := make(map[string]table.Row, len(t.Rows)) // by the id without case and lookalikes
	for i := range t.Rows {
		r := t.Rows[i]
		if i%500 == 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			done(i)
		}
		d, errs := t.draft(reg, r, m)
		id := r.Get("id")
		if twin, ok := seen[alike(id)]; ok && id != "" {
			errs = append(errs, RowError{r.Line, "id", id, twice(id, twin.Get("id"), twin.Line)})
		}
		seen[alike(id)] = r
		if p.errs = append(p.errs, errs...); len(errs) == 0 {
			drafts = append(drafts, d)
		}
	}
	for i := range drafts {
		also[drafts[i].next.ID.Key()] = &drafts[i].next
	}
	for i := range drafts {
		if i%500 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p.take(reg, &drafts[i], also)
	}
	return p, nil
}

// take checks a draft and notes what it changes.
func (p *plan) take(reg Registry, d *draft, also map[string]*devices.Device) {
	if d.old != nil {
		d.next.KeepNotes(d.old)
	}
	next, err := reg.Check(d.next, also)
	if fe, ok := errors.AsType[*devices.FieldError](err); ok {
		col := inSheet(fe.Field)
		p.errs = append(p.errs, RowError{d.Line, col, fmt.Sprintf("%.80s", d.Get(col)), fe.Reason})
		return
	}
	c := devices.Change{Device: next}
	if d.old == nil {
		p.created++
	} else {
		c.Version = d.old.Version
		differs := false
		for _, col := range columns {
			if a, b := col.get(d.old), col.get(&next); a != b {
				differs = true
				if col.name == "notes" {
					a, b = personal.Text(a), personal.Text(b)
				}
				if len(p.cells) < maxTold {
					p.cells = append(p.cells, CellChange{d.Line, d.old.ID, col.name, a, b})
				}
			}
		}
		if !differs {
			p.unchanged++
			return
		}
		p.updated++
	}
	p.changes = append(p.changes, c)
}

// inSheet is the column of a device's field.
func inSheet(field string) string {
	switch field {
	case "position":
		return "lat"
	case "expected_interval_s":
		return "interval_s"
	}
	return field
}

// draft makes of a row the device as it is to be.
func (t *sheet) draft(reg Registry, r table.Row, m marks) (d draft, errs []RowError) {
	id := r.Get("id")
	bad := func(column, value, reason string) {
		errs = append(errs, RowError{r.Line, column, fmt.Sprintf("%.80s", value), reason})
	}
	parsed, err := devices.ParseID(id)
	switch { // the other cells are looked at all the same
	case id == "":
		bad("id", id, "the row says not which device it is of")
	case err != nil:
		bad("id", id, noID(id, err))
	}
	d = draft{Row: r, next: devices.Device{ID: parsed}}
	if old, ok := reg.Get(parsed); ok && err == nil {
		d.old, d.next = old, *old
		if old.Position != nil {
			at := *old.Position
			d.next.Position = &at
		}
	}
	if lat, lon := r.Get("lat"), r.Get("lon"); (lat == "") != (lon == "") {
		bad("lat", lat, "lat and lon come together, or not at all")
	}
	for _, c := range t.columns {
		if err := c.set(&d.next, r.Get(c.name), m); err != nil {
			bad(c.name, r.Get(c.name), err.Error())
		}
	}
	if d.old != nil && d.next.Life != d.old.Life {
		if d.next.Life == "" {
			d.next.Life = d.old.Life
		} else {
			bad("life", string(d.next.Life), fmt.Sprintf("the device is %s; its life changes one by one, with a reason, not by a table", d.old.Life))
		}
	}
	return d, errs
}

// alike is the form under which two ids look the same to a person.
func alike(id string) string { return devices.Fold(id) }

func twice(id, twin string, line int) string {
	if id == twin {
		return fmt.Sprintf("this id is in line %d too", line)
	}
	if strings.EqualFold(id, twin) {
		return fmt.Sprintf("line %d has %.64s, which is the same id: capitals make no difference", line, twin)
	}
	return fmt.Sprintf("line %d has %.64s, which looks the same", line, twin)
}

// noID says what is wrong with an id; letters that only look right are named.
func noID(id string, err error) string {
	for _, c := range id {
		if c > unicode.MaxASCII && unicode.IsLetter(c) {
			return fmt.Sprintf("%c (U+%04X) is no letter of an id: only A to Z, a to z, digits, '_' and '-' are; %.64q would do", c, c, plain(id))
		}
	}
	if fe, ok := errors.AsType[*devices.FieldError](err); ok {
		return fe.Reason
	}
	return err.Error()
}

// plain is an id with letters that look like its own, in its case.
func plain(id string) string {
	var b strings.Builder
	for _, c := range id {
		p := devices.Fold(string(c))
		if unicode.IsUpper(c) {
			p = strings.ToUpper(p)
		}
		b.WriteString(p)
	}
	return b.String()
}
