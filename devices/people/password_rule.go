package people

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"haidang/devices"
)

// The shortest and longest password, in letters. Length is what counts: there is
// no rule about kinds of letters (NIST SP 800-63B §5.1.1.2).
const (
	minPassword = 12
	maxPassword = 128
)

//go:embed common.txt
var commonText string

// common holds the commonest passwords and the words they are made of, folded.
var common = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for l := range strings.Lines(commonText) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			words[l] = true
		}
	}
	return words
})

// checkRule says why a password is not taken for an account.
func checkRule(password string, a Account) error {
	bad := func(reason string) error { return &devices.FieldError{Field: "new_password", Reason: reason} }
	n := utf8.RuneCountInString(password)
	folded := devices.Fold(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return bad("a password is one line of text")
	case n < minPassword:
		return bad(fmt.Sprintf("a password has at least %d letters; several words are easy to keep in mind", minPassword))
	case n > maxPassword:
		return bad(fmt.Sprintf("a password has at most %d letters", maxPassword))
	case isCommon(folded):
		return bad("this password is one of the commonest, or little more than a common word; choose another")
	}
	for _, word := range append(strings.FieldsFunc(devices.Fold(a.FullName), notLetter), strings.FieldsFunc(devices.Fold(a.Name), notLetter)...) {
		if rest := strings.ReplaceAll(folded, word, ""); len(word) >= 4 && rest != folded && utf8.RuneCountInString(rest) < minPassword {
			return bad("apart from your name this password is too short; choose another")
		}
	}
	return nil
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// isCommon says whether a folded password is a common one, a common word with
// digits and signs around it, or few letters over and over.
func isCommon(folded string) bool {
	letters := strings.TrimFunc(folded, notLetter)
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, folded)
	if common()[folded] || common()[plain] || common()[letters] || letters == "" {
		return true
	}
	different := map[rune]bool{}
	for _, r := range folded {
		different[r] = true
	}
	return len(different) < 5 || repeats(folded)
}

// repeats says whether a text is one shorter text over and over.
func repeats(s string) bool {
	return len(s) > 1 && strings.Contains((s + s)[1:2*len(s)-1], s)
}
