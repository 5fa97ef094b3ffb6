package reports

import (
	"crypto/rand"
	"strings"
)

// codeLetters are Crockford's: no letter can be taken for a digit when a code
// is read out over the phone.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newCode makes a tracking code that cannot be guessed (40 random bits).
func newCode(prefix string) string {
	var raw [8]byte
	rand.Read(raw[:])
	b := []byte(prefix + "-")
	for i, r := range raw {
		if i == 4 {
			b = append(b, '-')
		}
		b = append(b, codeLetters[r&31])
	}
	return string(b)
}

// readCode gives a code as people type it the form in which it was made: any
// case, with or without hyphens and prefix, O for 0, I and L for 1.
func readCode(prefix, typed string) string {
	typed = strings.ToUpper(strings.TrimSpace(typed))
	letters := strings.NewReplacer("-", "", " ", "").Replace(typed)
	if rest, ok := strings.CutPrefix(letters, strings.ReplaceAll(prefix, "-", "")); ok && len(rest) == 8 {
		letters = rest
	}
	if len(letters) != 8 {
		return typed
	}
	letters = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(letters)
	return prefix + "-" + letters[:4] + "-" + letters[4:]
}
