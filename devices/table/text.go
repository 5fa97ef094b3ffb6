package table

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	wide "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

// The encodings that Text tells.
const (
	UTF8        = "utf-8"
	UTF16       = "utf-16"
	Windows1258 = "windows-1258"
)

// Text brings the bytes of a file to composed (NFC) UTF-8 without a byte order
// mark. UTF-16 is known by its mark; what is not UTF-8 is read as Windows-1258,
// the code page of Vietnamese Windows, unless most of it is UTF-8 all the same:
// then it is broken, and not old. The encoding is returned so that a person can
// check the result. The error is a sentence for whoever sent the file.
func Text(b []byte) (text, encoding string, err error) {
	if bytes.HasPrefix(b, []byte{0xFF, 0xFE}) || bytes.HasPrefix(b, []byte{0xFE, 0xFF}) {
		if b, err = wide.UTF16(wide.LittleEndian, wide.ExpectBOM).NewDecoder().Bytes(b); err != nil {
			return "", "", fmt.Errorf("the file begins as UTF-16 and cannot be read as that: %w", err)
		}
		return composed(string(b), UTF16)
	}
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	if utf8.Valid(b) {
		return composed(string(b), UTF8)
	}
	if first, broken, sound := count(b); sound > broken {
		return "", "", fmt.Errorf("line %d: the file is UTF-8 and broken there; save it again as CSV UTF-8", bytes.Count(b[:first], []byte("\n"))+1)
	}
	if b, err = charmap.Windows1258.NewDecoder().Bytes(b); err != nil {
		return "", "", errUnreadable
	}
	if bytes.ContainsRune(b, utf8.RuneError) {
		return "", "", errUnreadable
	}
	return composed(string(b), Windows1258)
}

var errUnreadable = errors.New("the file is neither UTF-8 nor Windows-1258 text; save it as CSV UTF-8")

// composed puts letters and their accents together, and looks for what is no
// character of a text.
func composed(text, encoding string) (string, string, error) {
	if i := strings.IndexFunc(text, unprintable); i >= 0 {
		return "", "", fmt.Errorf("line %d: there is a character that is none; save the file as CSV UTF-8", strings.Count(text[:i], "\n")+1)
	}
	return norm.NFC.String(text), encoding, nil
}

func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
}

// count says where the first byte is that is no UTF-8, how many there are, and
// how many letters beyond ASCII are sound.
func count(b []byte) (first, broken, sound int) {
	first = -1
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
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
