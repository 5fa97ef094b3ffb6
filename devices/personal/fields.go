package personal

import "strings"

// kinds are parts of the names under which devices and vendors send what tells a
// person, with what hides it. The first that fits counts.
var kinds = []struct {
	part string
	hide func(string) string
}{
	{"plate", Plate}, {"bien_so", Plate}, {"bienso", Plate},
	{"phone", Phone}, {"dien_thoai", Phone},
	{"owner", PersonName}, {"person", PersonName}, {"driver", PersonName}, {"fullname", PersonName}, {"full_name", PersonName},
	{"face", nothing}, {"cccd", nothing},
}

// nothing leaves nothing.
func nothing(string) string { return strings.Repeat(dot, 5) }

// Fields hides what tells a person wherever it stands in v, a value of JSON:
// members by their names, and numbers of phones and plates in any text. It
// changes v and returns it.
func Fields(v any) any {
	switch v := v.(type) {
	case string:
		return Text(v)
	case []any:
		for i := range v {
			v[i] = Fields(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = member(k, v[k])
		}
	}
	return v
}

func member(name string, v any) any {
	name = strings.ToLower(name)
	for _, k := range kinds {
		if !strings.Contains(name, k.part) {
			continue
		}
		if s, ok := v.(string); ok {
			return k.hide(s)
		}
		return nothing("") // a number, a list, an object: all of it tells
	}
	return Fields(v)
}
