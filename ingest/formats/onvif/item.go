package onvif

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// items is a Source or Data as one object, whichever way the camera writes it.
func items(v any) any {
	list, ok := object.Get(v, "SimpleItem").([]any)
	if !ok {
		if one := object.Get(v, "SimpleItem"); one != nil {
			list = []any{one} // what was an XML element alone
		} else {
			return v
		}
	}
	flat := map[string]any{}
	for _, e := range list {
		if name := object.String(e, "Name"); name != "" {
			flat[name] = object.Get(e, "Value")
		}
	}
	return flat
}

// number is the count of an event: a number that is not negative, or one as
// text.
func number(data any) (float64, *ingest.Refusal) {
	v := object.Get(data, "Count")
	x, ok := v.(float64)
	if s, isText := v.(string); isText {
		x, ok = object.Decimal(s)
	}
	if !ok || x < 0 {
		if s, isText := v.(string); isText {
			return 0, object.Refuse("count_missing", "Data.Count is the text %.40q, which is no number that counts", s)
		}
		return 0, object.Refuse("count_missing", "Data.Count must be a number that is not negative, not %s", object.Kind(v))
	}
	return x, nil
}

// rule is the name of the rule that an event comes from; empty when it has none.
func rule(source any) string {
	for _, key := range []string{"Rule", "RuleName"} {
		if name := object.String(source, key); name != "" {
			return name
		}
	}
	return ""
}

// named is a metric of one rule: a camera counts by many, and their totals must
// not mix.
func named(metric, rule string) string {
	if rule == "" {
		return metric
	}
	name := []byte(metric + "_")
	for _, c := range strings.ToLower(rule) {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			c = '_'
		}
		if name = utf8.AppendRune(name, c); len(name) > 60 { // of the 64 bytes that a name may have
			break
		}
	}
	return string(name)
}

// over says that a state event tells the end of its condition.
func over(data any) bool {
	for _, key := range []string{"State", "state", "IsInside", "IsTamper", "IsLoitering", "Failed", "Critical", "LogicalState", "Value"} {
		switch x := object.Get(data, key).(type) {
		case bool:
			return !x
		case float64:
			return x == 0
		case string:
			return x == "false" || x == "0" || x == "inactive"
		}
	}
	return false
}
