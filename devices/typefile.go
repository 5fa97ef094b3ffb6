package devices

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// typeFile is the form in which types are exported and imported.
type typeFile struct {
	Types []Type `yaml:"types"`
}

// WriteTypes writes types as YAML, as ReadTypes takes them.
func WriteTypes(ts []Type) ([]byte, error) {
	return yaml.Marshal(typeFile{ts})
}

// ReadTypes reads YAML with a list "types". The error names the line.
func ReadTypes(text []byte) ([]Type, error) {
	var f typeFile
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		if path := wrongDuration(text); path != "" { // of these the library names no line
			return nil, &FieldError{path, fmt.Sprintf("line %d: it is no duration; write 90s, 5m or 24h", LineOf(text, path))}
		}
		return nil, &FieldError{"body", yaml.FormatError(err, false, false)}
	}
	if len(f.Types) == 0 {
		return nil, &FieldError{"types", "the file has no types"}
	}
	return f.Types, nil
}

// wrongDuration is the path of the first duration that is none.
func wrongDuration(text []byte) string {
	var f struct {
		Types []struct {
			Interval  any
			Dashboard struct{ Window any }
		}
	}
	if yaml.Unmarshal(text, &f) != nil {
		return ""
	}
	for i, t := range f.Types {
		for field, v := range map[string]any{"interval": t.Interval, "dashboard.window": t.Dashboard.Window} {
			if _, err := time.ParseDuration(fmt.Sprint(v)); err != nil && v != nil {
				return fmt.Sprintf("types[%d].%s", i, field)
			}
		}
	}
	return ""
}

var lastStep = regexp.MustCompile(`(\.[a-z_]+|\[\d+\])$`)

// LineOf is the line of YAML text on which a path of PutTypes' errors stands,
// such as types[1].metrics[0].unit; of what is not there, that of what it
// belongs to. 0: it is not known.
func LineOf(text []byte, path string) int {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return 0
	}
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.FilterFile(file); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		shorter := lastStep.ReplaceAllString(path, "")
		if shorter == path {
			break
		}
		path = shorter
	}
	return 0
}

// recordType is a type for the audit log, and to tell whether two are the same.
func recordType(t *Type) json.RawMessage {
	text, err := yaml.Marshal(t)
	if err != nil {
		panic(err) // text, numbers and lists always have a form
	}
	b, err := yaml.YAMLToJSON(text)
	if err != nil {
		panic(fmt.Sprintf("device type %s: %v", t.ID, err))
	}
	return json.RawMessage(b)
}
