package table

import "strings"

// formula begins what a spreadsheet takes for one; the apostrophe is the mark
// itself.
const formula = "=+-@'"

// Guard marks a text so that a spreadsheet does not take it for a formula. Read
// takes the mark away again.
func Guard(s string) string {
	if s != "" && strings.ContainsRune(formula, rune(s[0])) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune(formula, rune(s[1])) {
		return s[1:]
	}
	return s
}
