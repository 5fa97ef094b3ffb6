package areas

import (
	"fmt"
	"strings"

	"haidang/devices"
)

// Type is what kind of unit an area is.
type Type string

// The types. Districts (District, UrbanDistrict, Town, and City below a
// province) ended on 1 July 2025 by Resolution 202/2025/QH15; SpecialZone began
// then. Operational is a unit that the centre works by, and no law knows.
const (
	Province      Type = "province"
	City          Type = "city"
	District      Type = "district"
	UrbanDistrict Type = "urban_district"
	Town          Type = "town"
	Commune       Type = "commune"
	Ward          Type = "ward"
	Township      Type = "township"
	SpecialZone   Type = "special_zone"
	Sea           Type = "sea"
	Operational   Type = "operational"
)

// Label is a text in both languages.
type Label struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

var types = []struct {
	id    Type
	label Label
}{
	{Province, Label{"Tỉnh", "Province"}},
	{City, Label{"Thành phố", "City"}},
	{District, Label{"Huyện", "District"}},
	{UrbanDistrict, Label{"Quận", "Urban district"}},
	{Town, Label{"Thị xã", "Town"}},
	{Commune, Label{"Xã", "Commune"}},
	{Ward, Label{"Phường", "Ward"}},
	{Township, Label{"Thị trấn", "Township"}},
	{SpecialZone, Label{"Đặc khu", "Special zone"}},
	{Sea, Label{"Vùng biển", "Sea area"}},
	{Operational, Label{"Địa bàn điều hành", "Area of operation"}},
}

// Label is the type's name.
func (t Type) Label() Label {
	for _, x := range types {
		if x.id == t {
			return x.label
		}
	}
	return Label{}
}

// ParseType reads a type by its name in the program or in either language,
// whatever the case and accents. The error is a sentence for a person.
func ParseType(s string) (Type, error) {
	folded := devices.Fold(strings.TrimSpace(s))
	var known []string
	for _, x := range types {
		if folded == string(x.id) || folded == devices.Fold(x.label.VI) || folded == devices.Fold(x.label.EN) {
			return x.id, nil
		}
		known = append(known, x.label.VI)
	}
	return "", fmt.Errorf("%.40q is no type of area; these are: %s", s, strings.Join(known, ", "))
}
