package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

func short(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%.40q", v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return object.Kind(v)
}

// value reads one metric; ok is false when it says nothing.
func (m *metric) value(v any) (x float64, ok bool, r *ingest.Refusal) {
	switch found := find(v, m.path).(type) {
	case nil:
		return 0, false, nil
	case float64:
		x = found
	case bool:
		if found {
			x = 1
		}
	case string:
		if y, ok := m.Table[found]; ok {
			x = y
			break
		}
		if !m.Text {
			return 0, false, object.Refuse("type_wrong", "%s is the text %.40q; a number is wanted (text = true allows numbers as text)", m.name, found)
		}
		y, ok := m.number(strings.TrimSpace(found))
		if !ok {
			hint := ""
			switch {
			case m.Comma && strings.Contains(found, "."):
				hint = " (with comma = true a point could part thousands)"
			case !m.Comma && strings.Contains(found, ","):
				hint = " (comma = true allows a decimal comma)"
			}
			return 0, false, object.Refuse("number_invalid", "%s is %.40q, which is no number%s", m.name, found, hint)
		}
		x = y
	default:
		return 0, false, object.Refuse("type_wrong", "%s is %s; a number is wanted", m.name, object.Kind(found))
	}
	if slices.Contains(m.Missing, x) {
		return 0, false, nil
	}
	return x*m.Scale + m.Offset, true, nil
}

// number reads a number as text, with the decimal mark that the mapping
// declares and no other.
func (m *metric) number(text string) (float64, bool) {
	if m.Comma {
		if strings.Contains(text, ".") {
			return 0, false
		}
		text = strings.Replace(text, ",", ".", 1)
	}
	return object.Decimal(text)
}
