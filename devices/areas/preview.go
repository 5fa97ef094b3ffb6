package areas

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"haidang/devices/table"
)

// Preview is what an import would do. It is made without changing anything.
type Preview struct {
	// Token stands for this file over the areas as they now are; Apply wants it.
	// Empty when there are errors.
	Token    string `json:"token,omitempty"`
	Format   string `json:"format"`
	Encoding string `json:"encoding"`
	// Ignored are members of GeoJSON properties that mean nothing here.
	Ignored   []string `json:"ignored"`
	Added     []Change `json:"added"`
	Changed   []Change `json:"changed"`
	Ended     []Change `json:"ended"` // changed, and no longer valid from a day on
	Unchanged int      `json:"unchanged"`
	// Errors are the first 500, by row; ErrorCount is how many there are.
	Errors     []table.Fault `json:"errors"`
	ErrorCount int           `json:"error_count"`
}

const maxErrors = 500

// Preview compares a file, CSV or GeoJSON, with what is there. A file adds
// versions, or changes those that it names by code and first day; what it does
// not name stays, and so does a field that it does not have.
func (s *Store) Preview(file []byte) *Preview {
	p, _ := s.now.Load().preview(file)
	return p
}

func (x *index) preview(file []byte) (*Preview, []edit) {
	p, edits := x.compare(readFile(file))
	if p.ErrorCount == 0 {
		p.Token = x.token(file)
	}
	return p, edits
}

// token stands for a file over what is there. Of both follows all that an import
// does.
func (x *index) token(file []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", x.revision)
	h.Write(file)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// edit is one version that an import writes, and what it was.
type edit struct{ before, after *Version }

// compare says what a file would do, and returns the versions it would write.
func (x *index) compare(f *file) (*Preview, []edit) {
	p := &Preview{Format: f.format, Encoding: f.encoding, Ignored: f.ignored, Added: []Change{}, Changed: []Change{}, Ended: []Change{}}
	if p.Ignored == nil {
		p.Ignored = []string{}
	}
	lines := map[Ref]int{}
	var edits []edit
	for _, r := range f.rows {
		before, after := x.read(f, r)
		if after == nil {
			continue
		}
		ref := after.Ref()
		if first, twice := lines[ref]; twice {
			f.fault(r.line, "code", fmt.Sprintf("row %d says the same: %s from %s", first, ref.Code, cmp.Or(ref.From, "before our records")))
			continue
		}
		lines[ref] = r.line
		fields := differences(before, after)
		change := Change{r.line, after.Code, after.ValidFrom, after.Name, fields}
		switch {
		case len(fields) == 0:
			p.Unchanged++
			continue
		case before == nil:
			p.Added = append(p.Added, change)
		case before.ValidTo == "" && after.ValidTo != "":
			p.Ended = append(p.Ended, change)
		default:
			p.Changed = append(p.Changed, change)
		}
		edits = append(edits, edit{before, after})
	}
	if len(f.faults) == 0 {
		for _, c := range check(x.with(edits)) {
			line := 0
			for _, ref := range c.refs {
				line = cmp.Or(line, lines[ref])
			}
			f.fault(line, c.field, c.reason)
		}
	}
	slices.SortStableFunc(f.faults, func(a, b table.Fault) int { return cmp.Compare(a.Row, b.Row) })
	p.ErrorCount = len(f.faults)
	p.Errors = append([]table.Fault{}, f.faults[:min(len(f.faults), maxErrors)]...)
	return p, edits
}

// read makes the version that a row describes over the one that is there;
// nil when the row is wrong.
func (x *index) read(f *file, r row) (before, after *Version) {
	given := Version{}
	bad := false
	fail := func(field string, err error) {
		if err != nil {
			bad = true
			f.fault(r.line, field, err.Error())
		}
	}
	fail("code", given.set("code", r.given["code"]))
	fail("valid_from", given.set("valid_from", r.given["valid_from"]))
	if bad {
		return nil, nil
	}
	after = &Version{Code: given.Code, ValidFrom: given.ValidFrom}
	if before = x.byRef(after.Ref()); before != nil && before.Code == given.Code {
		clone := *before
		after = &clone
	} else {
		before = nil // a code in another spelling is a mistake, told by check
	}
	for _, c := range fields {
		text, has := r.given[c.Name]
		if has && c.Name != "lat" && c.Name != "lon" {
			fail(c.Name, after.set(c.Name, text))
		}
	}
	if lat, has := r.given["lat"]; has {
		fail("lat", after.setCentre(lat, r.given["lon"]))
	}
	if r.border != nil {
		border, err := parseGeometry(r.border)
		after.Geometry = border
		fail("geometry", err)
	}
	if bad {
		return nil, nil
	}
	return before, after
}

// with is all versions as they would be after edits.
func (x *index) with(edits []edit) []*Version {
	gone := map[*Version]bool{}
	for _, e := range edits {
		gone[e.before] = true
	}
	var all []*Version
	for _, v := range x.all {
		if !gone[v] {
			all = append(all, v)
		}
	}
	for _, e := range edits {
		all = append(all, e.after)
	}
	return all
}
