package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/web/openapi"
)

// described are the parameters that the description of the API gives to each
// path that can be read, by the path.
var described = sync.OnceValues(func() (map[string][]string, error) {
	text, err := openapi.Document()
	if err != nil {
		return nil, err
	}
	var doc struct {
		Paths map[string]struct {
			Parameters []map[string]any
			Get        *struct{ Parameters []map[string]any }
		}
		Components struct{ Parameters map[string]map[string]any }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	all := map[string][]string{}
	for path, item := range doc.Paths {
		if item.Get == nil {
			continue
		}
		names := []string{}
		for _, p := range slices.Concat(item.Parameters, item.Get.Parameters) {
			if ref, is := p["$ref"].(string); is {
				p = doc.Components.Parameters[strings.TrimPrefix(ref, "#/components/parameters/")]
			}
			if name, _ := p["name"].(string); p["in"] == "query" {
				names = append(names, name)
			}
		}
		all[path] = names
	}
	return all, nil
})

// foreignParameters are the path to which another program sends a browser, with
// parameters of its own.
const foreignParameters = "/api/v1/session/oidc/callback"

// knownParameters refuses to read with a parameter that is not described: a
// misspelt filter would not narrow, and nobody would see it. What is only
// written to reads its own.
func (s *Server) knownParameters(routes *chi.Mux) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.RawQuery != "" && r.URL.Path != foreignParameters {
				if err := checkParameters(routes.Find(chi.NewRouteContext(), r.Method, r.URL.Path), r.URL.RawQuery); err != nil {
					s.fail(w, r, err)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

func checkParameters(pattern, query string) error {
	all, err := described()
	if err != nil {
		return err
	}
	known, is := all[pattern]
	if !is {
		return nil // it answers itself that it is not there
	}
	given, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("%w: the query cannot be read: %w", errBadRequest, err)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(known, name) {
			continue
		}
		reason := "no parameter is known here"
		if len(known) > 0 {
			reason = "it is unknown here; known are " + strings.Join(known, ", ")
		}
		return &devices.FieldError{Field: fmt.Sprintf("%.40s", name), Reason: reason}
	}
	return nil
}
