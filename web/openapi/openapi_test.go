package openapi

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schema is that of spec.openapis.org (Apache-2.0).
func TestDocumentIsOpenAPI(t *testing.T) {
	b, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	spec, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi-3.1.json", spec); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("openapi-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v", err)
	}
	broken := doc.(map[string]any)
	delete(broken, "info")
	if schema.Validate(broken) == nil {
		t.Error("a document without info passes: this test sees nothing")
	}
}

func TestMergeRefusesWhatIsThereTwice(t *testing.T) {
	doc := map[string]any{"paths": map[string]any{"/a": map[string]any{}}}
	if err := merge(doc, map[string]any{"paths": map[string]any{"/b": 1}}); err != nil {
		t.Error(err)
	}
	if err := merge(doc, map[string]any{"paths": map[string]any{"/b": 2}}); err == nil {
		t.Error("a path that is there twice was taken")
	}
}
