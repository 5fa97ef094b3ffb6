package personal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

var (
	// memberInText is a member of JSON with a string or a number, also where the
	// text was cut off within it.
	memberInText = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"(\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[0-9][0-9.eE+-]*)`)
	// phoneInPayload is a number as machines write it: what stands apart like
	// 0.03125 or 02-01-2026 15:00 is measured, not called.
	phoneInPayload = regexp.MustCompile(`(?:^|[^\d.,:+-])(?:\+?84|0)[235789](?:\d{8,9}|\d{2}[ .-]\d{3}[ .-]\d{3})\b`)
)

// Payload hides what tells a person in bytes as a device or a gateway sent them,
// for who looks at why they could not be taken: in JSON by the names of members,
// elsewhere numbers of phones and plates. Bytes in which there is nothing stay
// as they are. Of text in another encoding that holds such a number nothing is
// left.
func Payload(b []byte) []byte {
	if v, ok := decoded(b); ok {
		hidden, _ := decoded(b)
		if hidden = Fields(hidden); reflect.DeepEqual(v, hidden) {
			return b
		}
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if enc.Encode(hidden) != nil {
			return []byte{}
		}
		return bytes.TrimSpace(out.Bytes())
	}
	if bytes.IndexByte(b, 0) >= 0 { // UTF-16, or no text
		if narrow := strings.ReplaceAll(string(b), "\x00", ""); payloadText(narrow) != narrow {
			return []byte{}
		}
	}
	text := string(b)
	if hidden := payloadText(text); hidden != text {
		return []byte(hidden)
	}
	return b
}

func decoded(b []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err != nil // one value, and no more
}

// escapes of JSON would else hide where a number begins.
var escapes = strings.NewReplacer(`\n`, `\n `, `\r`, `\r `, `\t`, `\t `)

func payloadText(s string) string {
	hidden := memberInText.ReplaceAllStringFunc(s, func(m string) string {
		part := memberInText.FindStringSubmatch(m)
		if hide := kindOf(part[1]); hide != nil {
			return `"` + part[1] + `"` + part[2] + `"` + nothing("") + `"`
		}
		return m
	})
	spaced := escapes.Replace(hidden)
	out := phoneInPayload.ReplaceAllStringFunc(spaced, func(m string) string {
		at := strings.IndexAny(m, "+0123456789")
		return m[:at] + Phone(separators.Replace(m[at:]))
	})
	if out = plateInText.ReplaceAllStringFunc(out, Plate); out != spaced {
		return out
	}
	return hidden
}
