package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"haidang/web/openapi"
)

// contract is the OpenAPI document as a judge of real answers. It is stricter
// than the document: a member that is not described is a fault.
type contract struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	mu       sync.Mutex // compiling is for one at a time
}

var loadContract = sync.OnceValues(func() (*contract, error) {
	b, err := openapi.Document()
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	closeObjects(doc)
	c := &contract{doc: doc.(map[string]any), compiler: jsonschema.NewCompiler()}
	c.compiler.AssertFormat()
	return c, c.compiler.AddResource("openapi.json", doc)
})

// closeObjects refuses unknown members wherever members are described.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, described := v["properties"].(map[string]any)
		if _, said := v["additionalProperties"]; described && !said && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closeObjects(x)
		}
	case []any:
		for _, x := range v {
			closeObjects(x)
		}
	}
}

// at follows a path of keys, and references on the way; where is its JSON
// pointer.
func (c *contract) at(keys ...string) (v map[string]any, where string) {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	v = c.doc
	for _, k := range keys {
		next, ok := v[k].(map[string]any)
		if !ok {
			return nil, ""
		}
		v, where = next, where+"/"+escape.Replace(k)
		if ref, ok := v["$ref"].(string); ok {
			to := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
			v, where = c.at(to...)
		}
	}
	return v, where
}

func (c *contract) validate(where string, v any) error {
	c.mu.Lock()
	s, err := c.compiler.Compile("openapi.json#" + where)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// operations lists "GET /path" of everything that is described.
func (c *contract) operations() (ops []string) {
	paths, _ := c.at("paths")
	for path := range paths {
		item, _ := c.at("paths", path)
		for method := range item {
			if method != "parameters" {
				ops = append(ops, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(ops)
	return ops
}

func (c *contract) operation(op string) map[string]any {
	method, path, _ := strings.Cut(op, " ")
	v, _ := c.at("paths", path, strings.ToLower(method))
	return v
}

// checkAnswer says how an answer differs from what is described for op; op is
// "" where there is no route.
func (c *contract) checkAnswer(op string, res *http.Response, body []byte) error {
	keys := []string{"components", "responses", "Problem"}
	if method, path, ok := strings.Cut(op, " "); ok {
		keys = []string{"paths", path, strings.ToLower(method), "responses", fmt.Sprint(res.StatusCode)}
		if v, _ := c.at(keys...); v == nil {
			if res.StatusCode < 400 {
				return fmt.Errorf("the status %d is not described", res.StatusCode)
			}
			keys[4] = "default"
		}
	}
	contents, _ := c.at(append(keys, "content")...)
	if contents == nil {
		if len(body) > 0 {
			return fmt.Errorf("a body of %d bytes, where none is described", len(body))
		}
		return nil
	}
	typ, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type: %w", err)
	}
	if _, ok := contents[typ]; !ok {
		return fmt.Errorf("the Content-Type %s is not described; these are: %v", typ, slices.Collect(maps.Keys(contents)))
	}
	_, where := c.at(append(keys, "content", typ, "schema")...)
	return c.validateBody(where, typ, body)
}

func (c *contract) validateBody(where, typ string, body []byte) error {
	var v any = string(body)
	if strings.HasSuffix(typ, "json") && typ != "application/x-ndjson" {
		var err error
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(body)); err != nil {
			return err
		}
	}
	return c.validate(where, v)
}

// checkRequest says how a body that the server took differs from what is
// described.
func (c *contract) checkRequest(op string, body []byte) error {
	method, path, _ := strings.Cut(op, " ")
	_, where := c.at("paths", path, strings.ToLower(method), "requestBody", "content", "application/json", "schema")
	if where == "" || !json.Valid(body) {
		return nil
	}
	return c.validateBody(where, "application/json", body)
}

// judge holds one exchange against the document and notes what it has seen.
// Pages and assets are not of the API.
func (h *house) judge(rq *http.Request, sent string, res *http.Response, body []byte) {
	h.t.Helper()
	c, err := loadContract()
	if err != nil {
		h.t.Fatal(err)
	}
	op := ""
	found := chi.NewRouteContext()
	if h.srv.handler.Match(found, rq.Method, rq.URL.Path) {
		if isPage(found.RoutePattern()) {
			return
		}
		op = rq.Method + " " + found.RoutePattern()
	}
	err = c.checkAnswer(op, res, body)
	if res.StatusCode < 300 && sent != "" {
		err = errors.Join(err, c.checkRequest(op, []byte(sent)))
	}
	if err != nil {
		h.t.Errorf("%s (%s) is not as openapi.json says: %v\nsent %.500s\ngot %d %.2000s", rq.URL, op, err, sent, res.StatusCode, body)
	}
	h.seen[op+" "+fmt.Sprint(res.StatusCode)] = true
}

// isPage says whether a route is of the pages, not of the API.
func isPage(route string) bool {
	_, page := pageFiles[route]
	return page || route == "/assets/*"
}
