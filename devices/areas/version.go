package areas

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"haidang/devices"
)

// Version is an area as it was from one day to another.
type Version struct {
	// Code names the area in topics, rules, reports; it is unique without
	// regard to case and accents.
	Code   string `json:"code"`
	Name   string `json:"name"`
	NameEN string `json:"name_en"`
	Type   Type   `json:"type"`
	// Parent is the code of the area it lies in; empty at the top.
	Parent string `json:"parent,omitempty"`
	// ValidFrom is its first day, ValidTo the day after its last.
	ValidFrom Day `json:"valid_from,omitempty"`
	ValidTo   Day `json:"valid_to,omitempty"`
	// Source is the law or decision that made it so.
	Source string `json:"source,omitempty"`
	// Centre is where its name stands; nil: the middle of its geometry.
	Centre *devices.Position `json:"centre,omitempty"`
	// Predecessors are what it was made of. Without any, it continues the
	// version of its code that ended on its first day.
	Predecessors []Predecessor `json:"predecessors,omitempty"`
	// Geometry is its border in WGS 84, longitude first; nil when not known.
	Geometry orb.MultiPolygon `json:"-"`
}

// Predecessor says that a share of an area that ended went into another.
type Predecessor struct {
	Code string `json:"code"`
	// Share is the part of the predecessor that came here, above 0, at most 1.
	Share float64 `json:"share"`
	// Kind is how: merged, split, continued.
	Kind string `json:"kind,omitempty"`
}

// How an area passed on to another.
const (
	Merged    = "merged"
	Split     = "split"
	Continued = "continued"
)

// Ref names one version of an area.
type Ref struct {
	Code string
	From Day
}

// String is the ref as it is kept: "dong-hoi@2025-07-01"; "dong-hoi" for the
// version that was there before our records; empty for none.
func (r Ref) String() string {
	if r.From == "" {
		return r.Code
	}
	return r.Code + "@" + string(r.From)
}

// ParseRef reads what String wrote.
func ParseRef(s string) Ref {
	code, from, _ := strings.Cut(s, "@")
	return Ref{code, Day(from)}
}

// Ref names the version.
func (v *Version) Ref() Ref { return Ref{v.Code, v.ValidFrom} }

// On says whether the version counts on a day.
func (v *Version) On(d Day) bool { return v.ValidFrom <= d && !v.endedBy(d) }

func (v *Version) endedBy(d Day) bool { return v.ValidTo != "" && v.ValidTo <= d }

// Place is where the area's name stands; nil when that is not known.
func (v *Version) Place() *devices.Position {
	if v.Centre != nil || v.Geometry == nil {
		return v.Centre
	}
	largest := slices.MaxFunc(v.Geometry, func(a, b orb.Polygon) int {
		return compare(planar.Area(a), planar.Area(b))
	})
	c, _ := planar.CentroidArea(largest)
	return &devices.Position{Lat: c.Lat(), Lon: c.Lon()}
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// key is the form in which two codes count as the same.
func key(code string) string { return devices.Fold(code) }

var codeForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]{0,39}$`)

// reserved words stand in the API's paths where a code would.
var reserved = []string{"at", "import"}

func checkCode(code string) error {
	if !codeForm.MatchString(code) {
		return fmt.Errorf("%.60q is no code of an area: 1 to 40 letters, digits, '.', '_' or '-', beginning with a letter or digit", code)
	}
	if slices.Contains(reserved, key(code)) {
		return fmt.Errorf("%q cannot be the code of an area", code)
	}
	return nil
}

// record is the version as the audit log keeps it: the border by its size.
func (v *Version) record() json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(struct {
		*Version
		Border string `json:"geometry,omitempty"`
	}{v, size(v.Geometry)})
	if err != nil {
		return nil // shares are finite: there is nothing that JSON cannot say
	}
	return b
}
