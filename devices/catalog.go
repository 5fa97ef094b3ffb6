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
}

// Agency is a unit responsible for handling reports.
type Agency struct {
	ID     string `yaml:"id" json:"id"`
	Name   string `yaml:"name" json:"name"`
	NameEN string `yaml:"name_en" json:"name_en"`
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
