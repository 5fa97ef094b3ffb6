// Package openapi is the description of the HTTP API, OpenAPI 3.1, written by
// hand: openapi.yaml has the head and what all share, each other file one room
// of the API with its own schemas. Tests in package web hold it to the routes,
// the roles and the answers of the real server.
package openapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml
var files embed.FS

// Document is the whole description, in JSON; made at the first call. Every
// operation answers errors in one way, which is written once, in openapi.yaml,
// and put in here.
var Document = sync.OnceValues(func() ([]byte, error) {
	doc := map[string]any{}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var part map[string]any
		if err := yaml.Unmarshal(text, &part); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := merge(doc, part); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	paths, _ := doc["paths"].(map[string]any)
	for _, path := range paths {
		operations, _ := path.(map[string]any)
		for _, operation := range operations {
			o, _ := operation.(map[string]any)
			if responses, ok := o["responses"].(map[string]any); ok {
				responses["default"] = map[string]any{"$ref": "#/components/responses/Problem"}
			}
		}
	}
	return json.Marshal(doc)
})

// merge puts part into doc; what is said twice is an error.
func merge(doc, part map[string]any) error {
	for k, v := range part {
		old, there := doc[k]
		if !there {
			doc[k] = v
			continue
		}
		a, isMap := old.(map[string]any)
		b, areMaps := v.(map[string]any)
		if !isMap || !areMaps {
			return fmt.Errorf("%s is there twice", k)
		}
		if err := merge(a, b); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}
