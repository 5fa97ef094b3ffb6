package formats_test

import (
	"bytes"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// breaks are the ways in which a good payload is broken.
var breaks = []struct {
	name     string
	json     bool // only for what is JSON
	refused  bool // nothing of it may be taken
	anything bool // it may say something else, as a number cut short does
	vary     func(example) iter.Seq2[string, []byte]
}{
	{name: "cut off", anything: true, vary: cut},
	{name: "JSON cut off", json: true, refused: true, vary: cutJSON},
	{name: "empty", vary: whole("")},
	{name: "white space", vary: whole(" \t\r\n  \n\u00a0")},
	{name: "NUL bytes alone", vary: whole("\x00\x00\x00\x00")},
	{name: "invalid UTF-8", vary: inserted("\xff")},
	{name: "Windows-1258", vary: inserted("\xe1")},
	{name: "NUL among it", vary: inserted("\x00")},
	{name: "UTF-16", vary: utf16s},
	{name: "hostile nesting", vary: nested},
	{name: "number as text", json: true, vary: numbers(func(s string) string { return strconv.Quote(s) })},
	{name: "decimal comma as text", json: true, vary: numbers(func(s string) string { return strconv.Quote(s + ",5") })},
	{name: "decimal comma", vary: commas},
	{name: "duplicate key", json: true, refused: true, vary: duplicates},
	{name: "parameter twice", vary: parameters},
	{name: "not a number", vary: numbers(func(string) string { return "NaN" })},
	{name: "infinity", vary: numbers(func(string) string { return "-Infinity" })},
	{name: "too large a number", vary: numbers(func(string) string { return "1e999" })},
	{name: "hexadecimal", vary: numbers(func(s string) string { return "0x" + s + "p1" })},
	{name: "underscore", vary: numbers(func(s string) string { return s + "_0" })},
	{name: "impossible date", vary: dates},
}

func whole(payload string) func(example) iter.Seq2[string, []byte] {
	return func(e example) iter.Seq2[string, []byte] {
		return func(yield func(string, []byte) bool) { yield(e.topic, []byte(payload)) }
	}
}

// cut ends a payload early, everywhere or, when it is long, at every seventh
// byte; a query is cut as well.
func cut(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		step := 1
		if len(e.payload) > 400 {
			step = 7
		}
		for n := 0; n < len(e.payload); n += step {
			if !yield(e.topic, e.payload[:n]) {
				return
			}
		}
		for n := range e.topic {
			if !yield(e.topic[:n], e.payload) {
				return
			}
		}
	}
}

// cutJSON ends JSON before its last bracket.
func cutJSON(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for n := 1; n < len(bytes.TrimSpace(e.payload)); n++ {
			if !yield(e.topic, e.payload[:n]) {
				return
			}
		}
	}
}

// inserted puts bytes where they do not belong, in the payload and, encoded, in
// a query.
func inserted(what string) func(example) iter.Seq2[string, []byte] {
	return func(e example) iter.Seq2[string, []byte] {
		return func(yield func(string, []byte) bool) {
			for n := 0; n <= len(e.payload); n += 1 + len(e.payload)/200 {
				if !yield(e.topic, bytes.Join([][]byte{e.payload[:n], e.payload[n:]}, []byte(what))) {
					return
				}
			}
			start := strings.IndexByte(e.topic, '?')
			for n := start + 1; start >= 0 && n <= len(e.topic); n++ {
				if !yield(fmt.Sprintf("%s%%%02X%s", e.topic[:n], what[0], e.topic[n:]), e.payload) {
					return
				}
			}
		}
	}
}

func utf16s(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var little, big []byte
		for _, u := range utf16.Encode([]rune(string(e.payload))) {
			little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
		}
		_ = yield(e.topic, little) && yield(e.topic, big) &&
			yield(e.topic, append([]byte("\xff\xfe"), little...)) && yield(e.topic, append([]byte("\xfe\xff"), big...))
	}
}

func nested(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		const deep = 100_000
		for _, s := range []string{strings.Repeat("[", deep), strings.Repeat(`{"a":`, deep), strings.Repeat("[", deep) + strings.Repeat("]", deep),
			`[{"data":{"list":` + strings.Repeat("[", deep), strings.Repeat(`[{"a":[`, deep), strings.Repeat(`\`, deep) + string(e.payload), strings.Repeat(`"`, deep)} {
			if !yield(e.topic, []byte(s)) {
				return
			}
		}
	}
}

// numeral is a number outside quotation marks, or in a query.
var (
	numeral = regexp.MustCompile(`[:=,\[\t; ]-?\d+(\.\d+)?(e[+-]\d+)?`)
	sum     = regexp.MustCompile(`([!$])([^*\n]*)\*[0-9A-F]{2}`)
)

// numbers changes one number after another.
func numbers(change func(string) string) func(example) iter.Seq2[string, []byte] {
	return func(e example) iter.Seq2[string, []byte] {
		return replaced(e, numeral, func(s string) string { return s[:1] + change(s[1:]) })
	}
}

// isNumber keeps out digits that are part of a text, of AIS armour, or of the
// symbol PM2,5.
func isNumber(body string, at int) bool {
	start := strings.LastIndexByte(body[:at], '\n') + 1
	line, _, _ := strings.Cut(body[start:], "\n")
	switch {
	case isObject([]byte(body)):
		return strings.Count(body[:at], `"`)%2 == 0
	case strings.Contains(line, "!AIV"):
		return false
	}
	return body[at] != ',' || !strings.Contains(line, "\t")
}

func isObject(payload []byte) bool {
	body := bytes.TrimLeft(bytes.TrimPrefix(payload, []byte("\xef\xbb\xbf")), " \r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

var decimal = regexp.MustCompile(`\d\.\d`)

// commas turns one decimal point after another into a comma; in JSON, where
// that is another number, the number becomes text.
func commas(e example) iter.Seq2[string, []byte] {
	if isObject(e.payload) {
		return numbers(func(s string) string { return strconv.Quote(strings.Replace(s, ".", ",", 1)) })(e)
	}
	return replaced(e, decimal, func(s string) string { return strings.Replace(s, ".", ",", 1) })
}

// replaced changes one match after another, in the payload and in a query.
// Checksums are made to fit, so that they are not what finds it.
func replaced(e example, what *regexp.Regexp, change func(string) string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		body := string(e.payload)
		for _, at := range what.FindAllStringIndex(body, 200) {
			if what == numeral && !isNumber(body, at[0]) {
				continue
			}
			broken := body[:at[0]] + change(body[at[0]:at[1]]) + body[at[1]:]
			if !yield(e.topic, []byte(broken)) || !yield(e.topic, []byte(summed(broken))) {
				return
			}
		}
		path, query, ok := strings.Cut(e.topic, "?")
		for _, at := range what.FindAllStringIndex(query, 200) {
			if strings.HasSuffix(query[:at[0]], "id") {
				continue // a name, whatever it is
			}
			if ok && !yield(path+"?"+query[:at[0]]+change(query[at[0]:at[1]])+query[at[1]:], e.payload) {
				return
			}
		}
	}
}

func summed(body string) string {
	return sum.ReplaceAllStringFunc(body, func(line string) string {
		m := sum.FindStringSubmatch(line)
		x := byte(0)
		for i := range len(m[2]) {
			x ^= m[2][i]
		}
		return fmt.Sprintf("%s%s*%02X", m[1], m[2], x)
	})
}

var member = regexp.MustCompile(`\{("[^"]+":)`)

// duplicates gives a key of each object twice.
func duplicates(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, at := range member.FindAllSubmatchIndex(e.payload, 200) {
			key := e.payload[at[2]:at[3]]
			if !yield(e.topic, bytes.Join([][]byte{e.payload[:at[2]], key, []byte("0,"), e.payload[at[2]:]}, nil)) {
				return
			}
		}
	}
}

// parameters gives each parameter of a query twice.
func parameters(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		_, query, _ := strings.Cut(e.topic, "?")
		for p := range strings.SplitSeq(query, "&") {
			key, _, ok := strings.Cut(p, "=")
			if ok && !yield(e.topic+"&"+key+"=77", e.payload) {
				return
			}
		}
	}
}

// moment is how times are written in any of the formats: ISO 8601, with the day
// first, all digits, six digits at the end of a message, since 1970.
var moment = regexp.MustCompile(`20\d\d-\d\d-\d\d|\d\d/\d\d/20\d\d|20\d{12}|221126|179533\d+|1\.795334400e\+09`)

func dates(e example) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, bad := range [][5]string{
			{"2026-02-30", "30/02/2026", "20260230120500", "300226", "99999999999999999999"},
			{"0000-11-22", "22/11/0000", "00001122120500", "000000", "-62135596800000"},
			{"99999-11-22", "22/11/99999", "99999112212050", "311126", "1e300"},
			{"0001-01-01", "01/01/0001", "00010101070000", "320126", "-62135596800"},
		} {
			for topic, payload := range replaced(e, moment, func(s string) string {
				switch {
				case strings.Contains(s, "-"):
					return bad[0]
				case strings.Contains(s, "/"):
					return bad[1]
				case len(s) == 14 && s[:2] == "20":
					return bad[2]
				case len(s) == 6:
					return bad[3]
				}
				return bad[4]
			}) {
				if !yield(topic, payload) {
					return
				}
			}
		}
	}
}
