package devices

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/unicode/norm"
)

//go:embed catalog.yaml
var catalogYAML []byte

// Catalog is what ships with the program as data: device types, areas of
// operation, agencies.
type Catalog struct {
	Types    []Type   `yaml:"types"`
	Areas    []Area   `yaml:"areas"`
	Agencies []Agency `yaml:"agencies"`
}

// Area is an administrative or operational unit.
type Area struct {
	Code   string `yaml:"code" json:"code"`
	Name   string `yaml:"name" json:"name"`
	NameEN string `yaml:"name_en" json:"name_en"`
	// Kind is "area" on land and "sea" at sea.
	Kind   string   `yaml:"kind" json:"kind"`
	Centre Position `yaml:"centre" json:"centre"`
	// Closed says, in a sentence, why no device is put there: the area does not
	// count today. Empty: one may.
	Closed string `yaml:"-" json:"-"`
}

// Agency is a unit responsible for handling reports.
type Agency struct {
	ID     string `yaml:"id" json:"id"`
	Name   string `yaml:"name" json:"name"`
	NameEN string `yaml:"name_en" json:"name_en"`
	// Retired agencies are given nothing new.
	Retired bool `yaml:"-" json:"retired"`
}

// AreaSource knows the areas of today; areas.Store is one.
type AreaSource interface {
	Areas() []Area
	Area(code string) (Area, bool)
}

// AgencySource knows the agencies; agencies.Store is one.
type AgencySource interface {
	Agencies() []Agency
	Agency(id string) (Agency, bool)
}

// UsePlaces lets the registry ask for areas and agencies where they are kept;
// until then it knows those of the catalogue. Call it before the registry is
// used.
func (r *Registry) UsePlaces(areas AreaSource, agencies AgencySource) {
	r.areas, r.agencies = areas, agencies
}

// Areas returns the areas of today.
func (r *Registry) Areas() []Area { return r.areas.Areas() }

// Area finds an area by code.
func (r *Registry) Area(code string) (Area, bool) { return r.areas.Area(code) }

// Agencies returns the agencies that can be given something.
func (r *Registry) Agencies() []Agency { return r.agencies.Agencies() }

// Agency finds an agency by id, retired ones too.
func (r *Registry) Agency(id string) (Agency, bool) { return r.agencies.Agency(id) }

// shippedPlaces are the catalogue's areas and agencies.
type shippedPlaces struct{ *Catalog }

func (c shippedPlaces) Areas() []Area { return c.Catalog.Areas }

func (c shippedPlaces) Area(code string) (Area, bool) {
	for _, a := range c.Catalog.Areas {
		if a.Code == code {
			return a, true
		}
	}
	return Area{}, false
}

func (c shippedPlaces) Agencies() []Agency { return c.Catalog.Agencies }

func (c shippedPlaces) Agency(id string) (Agency, bool) {
	for _, a := range c.Catalog.Agencies {
		if a.ID == id {
			return a, true
		}
	}
	return Agency{}, false
}

// ShippedCatalog reads it; the caller may change it.
func ShippedCatalog() (*Catalog, error) {
	var c Catalog
	if err := yaml.NewDecoder(bytes.NewReader(catalogYAML), yaml.Strict()).Decode(&c); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	for i := range c.Types {
		c.Types[i].Index()
	}
	return &c, nil
}

// Fold is the form of a text in which it is searched: lower case, without
// accents, đ as d. Both Đ (U+0110) and Ð (U+00D0) occur in print.
func Fold(s string) string {
	var b strings.Builder
	// Broken bytes would keep the letters after them from being taken apart.
	for _, r := range norm.NFD.String(strings.ToValidUTF8(s, "\uFFFD")) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ' || r == 'Đ' || r == 'ð' || r == 'Ð':
			b.WriteByte('d')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
