package personal

import "strings"

// kinds are parts of the names under which devices and vendors send what tells a
// person, with what hides it. The first that fits counts.
var kinds = []struct {
	part string
	hide func(string) string
}{
	{"plate", Plate}, {"bien_so", Plate}, {"bienso", Plate}, {"biển_số", Plate}, {"bien_kiem_soat", Plate}, {"biển_kiểm_soát", Plate},
	{"phone", Phone}, {"dien_thoai", Phone}, {"dienthoai", Phone}, {"điện_thoại", Phone},
	{"owner", PersonName}, {"person", PersonName}, {"driver", PersonName}, {"fullname", PersonName}, {"full_name", PersonName}, {"skipper", PersonName},
	{"chu_tau", PersonName}, {"chủ_tàu", PersonName}, {"thuyen_truong", PersonName}, {"thuyền_trưởng", PersonName}, {"chu_xe", PersonName}, {"chủ_xe", PersonName},
	{"tai_xe", PersonName}, {"tài_xế", PersonName}, {"lai_xe", PersonName}, {"lái_xe", PersonName}, {"ho_ten", PersonName}, {"họ_tên", PersonName},
	{"face", nothing}, {"cccd", nothing}, {"cmnd", nothing}, {"can_cuoc", nothing}, {"căn_cước", nothing},
}

// whole are names that are too short to be looked for in others.
var whole = map[string]func(string) string{"sdt": Phone, "sđt": Phone, "tel": Phone, "bks": Plate, "bsx": Plate}

// kindOf is what hides a member of a name; nil: it tells nobody.
func kindOf(name string) func(string) string {
	name = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(name))
	for _, k := range kinds {
		if strings.Contains(name, k.part) {
			return k.hide
		}
	}
	return whole[name]
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
	hide := kindOf(name)
	if hide == nil {
		return Fields(v)
	}
	if s, ok := v.(string); ok {
		return hide(s)
	}
	return nothing("") // a number, a list, an object: all of it tells
}
