package lineprotocol

import (
	"bytes"
	"strings"
)

// until reads up to one of the stops that is not escaped, and unescapes.
func until(s, stops string) (word, rest string) {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`,= \`, s[i+1]) >= 0 {
			i++
			continue
		}
		if strings.IndexByte(stops, s[i]) >= 0 {
			return unescape(s[:i]), s[i:]
		}
	}
	return unescape(s), ""
}

var unescaper = strings.NewReplacer(`\,`, `,`, `\=`, `=`, `\ `, ` `, `\\`, `\`)

func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return unescaper.Replace(s)
}

// textEnd is where the text behind a quotation mark ends, behind the mark that
// closes it; -1 when none does.
func textEnd[T string | []byte](s T) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// lineEnd is where the first line of b ends, behind its line feed. Text may
// hold line feeds of its own, as Telegraf sends them; a text that never ends
// spoils its first line only.
func lineEnd(b []byte) int {
	plain := len(b)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		plain = i + 1
	}
	start := bytes.TrimLeft(b[:plain], " \t")
	if len(start) == 0 || start[0] == '#' {
		return plain
	}
	inFields := false // text begins behind the "=" of a field; in a tag a quotation mark is one like any other
	for i := plain - len(start); i < len(b); i++ {
		switch c := b[i]; {
		case c == '\n':
			return i + 1
		case c == '\\' && i+1 < len(b) && b[i+1] != '\n':
			i++
		case c == ' ':
			inFields = true
		case c == '"' && inFields && b[i-1] == '=':
			end := textEnd(b[i+1:])
			if end < 0 {
				return plain
			}
			i += end
		}
	}
	return len(b)
}
