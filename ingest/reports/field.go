package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"haidang/devices"
)

// field is a text that somebody typed.
type field struct {
	name string
	text *string
	max  int // characters
}

// clean trims and composes the text, or says what is wrong with it. The same
// word typed on two keyboards is the same afterwards (NFC).
func (f field) clean() error {
	bad := func(reason string) error { return &devices.FieldError{Field: f.name, Reason: reason} }
	if !utf8.ValidString(*f.text) {
		return bad("this is not UTF-8 text")
	}
	*f.text = norm.NFC.String(strings.TrimSpace(*f.text))
	if utf8.RuneCountInString(*f.text) > f.max {
		return bad(fmt.Sprintf("at most %d characters", f.max))
	}
	if strings.ContainsFunc(*f.text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return bad("control characters are not taken")
	}
	return nil
}
