package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"haidang/devices"
)

// decode turns a file into text, its letters composed. encoding says how it was
// read. Bytes that are no UTF-8 are read by code page 1258, unless most of the
// file is UTF-8 all the same: then it is broken, and not old.
func decode(data []byte) (text, encoding string, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		b, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
		if err != nil {
			return "", "", body("the file begins as UTF-16 and cannot be read as that: %s", err)
		}
		return composed(string(b), "utf-16")
	}
	if utf8.Valid(data) {
		return composed(string(data), "utf-8")
	}
	first, broken, sound := count(data)
	if sound > broken {
		return "", "", body("line %d: the file is UTF-8 and broken there; save it again as CSV UTF-8", lineAt(data, first))
	}
	b, err := charmap.Windows1258.NewDecoder().Bytes(data)
	if err != nil {
		return "", "", body("the file is neither UTF-8 nor Windows-1258; save it as CSV UTF-8")
	}
	return composed(string(b), "windows-1258")
}

func composed(text, encoding string) (string, string, error) {
	if i := strings.IndexAny(text, "\x00\uFFFD"); i >= 0 {
		return "", "", body("line %d: there is a character that is none; save the file as CSV UTF-8", lineAt([]byte(text), i))
	}
	return norm.NFC.String(text), encoding, nil
}

// count says where the first byte is that is no UTF-8, how many there are, and
// how many letters beyond ASCII are sound.
func count(data []byte) (first, broken, sound int) {
	first = -1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if broken++; first < 0 {
				first = i
			}
		case n > 1:
			sound++
		}
		i += n
	}
	return first, broken, sound
}

func lineAt(data []byte, i int) int { return bytes.Count(data[:i], []byte("\n")) + 1 }

// body is what is wrong with the file as a whole.
func body(format string, args ...any) error {
	return &devices.FieldError{Field: "body", Reason: fmt.Sprintf(format, args...)}
}
