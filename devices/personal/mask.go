package personal

import (
	"math"
	"regexp"
	"strings"
	"unicode"
)

const dot = "•"

// Phone leaves the first and the last two digits.
func Phone(p string) string {
	r := []rune(p)
	if len(r) < 6 {
		return strings.Repeat(dot, len(r))
	}
	return string(r[:2]) + strings.Repeat(dot, len(r)-4) + string(r[len(r)-2:])
}

// Plate leaves the province of a vehicle plate, its first two signs.
func Plate(p string) string {
	p = strings.TrimSpace(p)
	r := []rune(p)
	if len(r) <= 4 {
		return nothing(p)
	}
	return string(r[:2]) + nothing(p)
}

// PersonName leaves the first letter of each word.
func PersonName(n string) string {
	words := strings.Fields(n)
	for i, w := range words {
		words[i] = string([]rune(w)[:1]) + dot
	}
	return strings.Join(words, " ")
}

// Address hides the numbers of house, lane and alley: what is left is the
// street and the unit.
func Address(a string) string {
	return houseNumber.ReplaceAllStringFunc(a, func(n string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return '•'
			}
			return r
		}, n)
	})
}

// houseNumber is any number with what hangs on it: 12, 12A, 12/4, 12-14.
var houseNumber = regexp.MustCompile(`\d+\p{L}?(?:[/-]\d+\p{L}?)*`)

// Place moves a coordinate in degrees to the middle of its hundredth: about a
// kilometre.
func Place(degrees float64) float64 {
	return math.Round((math.Floor(degrees*100)+0.5)*1000/100) / 1000
}

// separators are what people put between the digits of a number.
var separators = strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "")

var (
	// Vietnamese numbers as people write them: 0912345678, 0912 345 678,
	// +84 91 234 56 78, (0232) 3822 123.
	phoneInText = regexp.MustCompile(`(?:\+84|\b84|\(0|\b0)(?:[ .()-]{0,2}\d){8,10}\b`)
	// dayInText is a day, with an hour behind it, and no number.
	dayInText = regexp.MustCompile(`^\d{2}[.-]\d{2}[.-](?:19|20)\d{2}(?:$| )`)
	// Plates (TT 79/2024/TT-BCA): two digits of the province, one or two
	// letters and perhaps a digit of the series, four or five digits; those of
	// diplomats, 80-441-NG-02; of the army, two letters and four digits.
	plateInText = regexp.MustCompile(`(?i)(?:\b\d{2}[ -]?(?:\p{Lu}{1,2}|MĐ)\d?[ .-]{0,2}(?:\d{3}[ .]?\d{2}|\d{4})\b|\b\d{2}-\d{3}-(?:NG|QT|CV|NN)-\d{2}\b|\b[A-Z]{2}[ -]\d{2}[ -]\d{2}\b)`)
)

// Text hides the phone numbers and plates in what somebody wrote.
func Text(s string) string {
	s = phoneInText.ReplaceAllStringFunc(s, func(p string) string {
		if dayInText.MatchString(p) {
			return p
		}
		return Phone(separators.Replace(p))
	})
	return plateInText.ReplaceAllStringFunc(s, Plate)
}
