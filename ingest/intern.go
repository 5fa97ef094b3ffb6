package ingest

import (
	"bytes"
	"sync"
	"unique"

	"github.com/go-json-experiment/json/jsontext"
)

// names remembers the texts of names that were met, so that the same few are
// not made anew for each reading. What is beyond its bound is made anew.
var names struct {
	sync.RWMutex
	by map[string]string
}

const maxNames = 4096

// intern keeps one copy of each metric name, however many readings carry it.
func intern(name string) string { return unique.Make(name).Value() }

// nameOf is the text of an object member's name.
func nameOf(v jsontext.Value) string {
	if bytes.IndexByte(v, '\\') >= 0 {
		b, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return string(v) // cannot be: the decoder took it
		}
		return string(b)
	}
	raw := v[1 : len(v)-1]
	names.RLock()
	name, ok := names.by[string(raw)]
	names.RUnlock()
	if ok {
		return name
	}
	name = intern(string(raw))
	if len(name) > maxNameLen {
		return name
	}
	names.Lock()
	defer names.Unlock()
	if names.by == nil || len(names.by) >= maxNames {
		names.by = map[string]string{}
	}
	names.by[name] = name
	return name
}
