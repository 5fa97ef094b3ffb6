package table

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// The encodings that Text tells.
const (
	UTF8        = "utf-8"
	Windows1258 = "windows-1258"
)

// Text brings the bytes of a file to composed (NFC) UTF-8 without a byte order
// mark. What is not UTF-8 is read as Windows-1258, the code page of Vietnamese
// Windows; the encoding is returned so that a person can check the result. The
// error is a sentence for whoever sent the file.
func Text(b []byte) (text, encoding string, err error) {
	if bytes.HasPrefix(b, []byte{0xFF, 0xFE}) || bytes.HasPrefix(b, []byte{0xFE, 0xFF}) {
		return "", "", errors.New("the file is UTF-16 text; save it as CSV UTF-8")
	}
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	encoding = UTF8
	if !utf8.Valid(b) {
		encoding = Windows1258
		if b, err = charmap.Windows1258.NewDecoder().Bytes(b); err != nil {
			return "", "", errUnreadable
		}
	}
	text = norm.NFC.String(string(b))
	if encoding == Windows1258 && strings.ContainsRune(text, utf8.RuneError) || strings.ContainsFunc(text, unprintable) {
		return "", "", errUnreadable
	}
	return text, encoding, nil
}

var errUnreadable = errors.New("the file is neither UTF-8 nor Windows-1258 text; save it as UTF-8")

func unprintable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
}
