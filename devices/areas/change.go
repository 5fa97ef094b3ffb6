package areas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"haidang/devices"
)

// Change is what an import does to one version.
type Change struct {
	// Row is where the file says it.
	Row       int    `json:"row"`
	Code      string `json:"code"`
	ValidFrom Day    `json:"valid_from,omitempty"`
	Name      string `json:"name"`
	// Fields are those that change; of an added version, all that it has.
	Fields []FieldChange `json:"fields"`
}

// FieldChange is one field before and after, in words.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// differences are the fields in which two versions differ; before may be nil.
func differences(before, after *Version) (fields []FieldChange) {
	if before == nil {
		before = &Version{Code: after.Code}
	}
	for _, f := range []struct{ name, before, after string }{
		{"name", before.Name, after.Name},
		{"name_en", before.NameEN, after.NameEN},
		{"type", string(before.Type), string(after.Type)},
		{"parent", before.Parent, after.Parent},
		{"valid_from", string(before.ValidFrom), string(after.ValidFrom)},
		{"valid_to", string(before.ValidTo), string(after.ValidTo)},
		{"source", before.Source, after.Source},
		{"predecessors", predecessorText(before.Predecessors), predecessorText(after.Predecessors)},
		{"centre", centreText(before.Centre), centreText(after.Centre)},
	} {
		if f.before != f.after {
			fields = append(fields, FieldChange{f.name, f.before, f.after})
		}
	}
	if !equalBorders(before.Geometry, after.Geometry) {
		fields = append(fields, FieldChange{"geometry", size(before.Geometry), size(after.Geometry)})
	}
	return fields
}

func equalBorders(a, b orb.MultiPolygon) bool {
	return slices.EqualFunc(a, b, func(p, q orb.Polygon) bool {
		return slices.EqualFunc(p, q, func(r, s orb.Ring) bool { return slices.Equal(r, s) })
	})
}

// predecessorText writes predecessors as a cell of a table does:
// "dong-hoi:1|ba-don:0.5:split".
func predecessorText(ps []Predecessor) string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('|')
		}
		fmt.Fprintf(&b, "%s:%g", p.Code, p.Share)
		if p.Kind != "" {
			b.WriteString(":" + p.Kind)
		}
	}
	return b.String()
}

func centreText(p *devices.Position) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%g, %g", p.Lat, p.Lon)
}
