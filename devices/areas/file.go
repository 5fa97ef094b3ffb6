package areas

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"haidang/devices/table"
)

// What one import may be.
const (
	MaxFile = 32 << 20
	maxRows = 20_000
)

// The formats of a file.
const (
	GeoJSON = "geojson"
	CSV     = "csv"
)

// file is what somebody wants imported, read but not yet compared.
type file struct {
	format, encoding string
	rows             []row
	// ignored are members of GeoJSON features that mean nothing here.
	ignored []string
	faults  []table.Fault
}

// row is one version of the file: what it says, over what is there.
type row struct {
	line int
	// given are the texts of the fields that the row has; the others stay.
	given map[string]string
	// border is the GeoJSON geometry; nil leaves what is there.
	border json.RawMessage
}

// fields are what a file can say of an area, as a table's columns.
var fields = []table.Column{
	{Name: "code", Also: []string{"mã", "mã địa bàn"}, Required: true},
	{Name: "name", Also: []string{"tên", "tên gọi"}, Required: true},
	{Name: "type", Also: []string{"loại", "cấp"}, Required: true},
	{Name: "name_en", Also: []string{"tên tiếng Anh"}},
	{Name: "parent", Also: []string{"cấp trên", "thuộc", "mã cấp trên"}},
	{Name: "valid_from", Also: []string{"hiệu lực từ", "từ ngày"}},
	{Name: "valid_to", Also: []string{"hiệu lực đến", "đến ngày"}},
	{Name: "source", Also: []string{"căn cứ", "căn cứ pháp lý"}},
	{Name: "predecessors", Also: []string{"tiền thân", "hợp thành từ"}},
	{Name: "lat", Also: []string{"vĩ độ"}},
	{Name: "lon", Also: []string{"kinh độ"}},
}

func (f *file) fault(line int, field, reason string) {
	f.faults = append(f.faults, table.Fault{Row: line, Field: field, Reason: reason})
}

// readFile reads CSV or GeoJSON, whichever it is.
func readFile(b []byte) *file {
	f := &file{format: CSV}
	if len(b) > MaxFile {
		f.fault(0, "file", fmt.Sprintf("at most %d MB are taken at once", MaxFile>>20))
		return f
	}
	text, encoding, err := table.Text(b)
	if err != nil {
		f.fault(0, "file", err.Error())
		return f
	}
	f.encoding = encoding
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		f.format = GeoJSON
		f.readGeoJSON(text)
		return f
	}
	t, faults := table.Read(text, fields, maxRows)
	f.faults = append(f.faults, faults...)
	for _, r := range t.Rows {
		given := map[string]string{}
		for _, c := range fields {
			if r.Has(c.Name) {
				given[c.Name] = r.Get(c.Name)
			}
		}
		f.rows = append(f.rows, row{line: r.Line, given: given})
	}
	return f
}

func (f *file) readGeoJSON(text string) {
	var c struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		f.fault(0, "file", fmt.Sprintf("this is no JSON: %v", err))
		return
	}
	if c.Type != "FeatureCollection" {
		f.fault(0, "type", fmt.Sprintf("a FeatureCollection is wanted, not a %.40q", c.Type))
		return
	}
	if len(c.Features) > maxRows {
		f.fault(0, "features", fmt.Sprintf("at most %d areas are taken at once", maxRows))
		return
	}
	for i, raw := range c.Features {
		f.readFeature(i+1, raw)
	}
	slices.Sort(f.ignored)
}

func (f *file) readFeature(line int, raw json.RawMessage) {
	var feature struct {
		Type       string                     `json:"type"`
		Properties map[string]json.RawMessage `json:"properties"`
		Geometry   json.RawMessage            `json:"geometry"`
	}
	if err := json.Unmarshal(raw, &feature); err != nil || feature.Type != "Feature" {
		f.fault(line, "type", "this is no Feature with properties")
		return
	}
	r := row{line: line, given: map[string]string{}}
	if string(feature.Geometry) != "null" && len(feature.Geometry) > 0 {
		r.border = feature.Geometry
	}
	for name, value := range feature.Properties {
		if !slices.ContainsFunc(fields, func(c table.Column) bool { return c.Name == name }) {
			if !slices.Contains(f.ignored, name) && len(f.ignored) < 100 {
				f.ignored = append(f.ignored, name)
			}
			continue
		}
		text, err := propertyText(name, value)
		if err != nil {
			f.fault(line, name, err.Error())
			continue
		}
		r.given[name] = text
	}
	for _, c := range fields {
		if _, given := r.given[c.Name]; c.Required && !given && !slices.ContainsFunc(f.faults, func(x table.Fault) bool { return x.Row == line && x.Field == c.Name }) {
			f.fault(line, c.Name, "the property "+c.Name+" is missing")
		}
	}
	f.rows = append(f.rows, r)
}

// propertyText is a property as a cell of a table would have it.
func propertyText(name string, value json.RawMessage) (string, error) {
	var any any
	if err := json.Unmarshal(value, &any); err != nil {
		return "", fmt.Errorf("this is no value of %s", name)
	}
	switch v := any.(type) {
	case nil:
		return "", nil
	case string:
		return norm.NFC.String(strings.TrimSpace(v)), nil // an escaped letter was not composed with the file
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	var ps []Predecessor
	if err := json.Unmarshal(value, &ps); name != "predecessors" || err != nil {
		return "", fmt.Errorf("a text is wanted for %s", name)
	}
	for _, p := range ps {
		if err := p.check(); err != nil {
			return "", err
		}
	}
	return predecessorText(ps), nil
}
