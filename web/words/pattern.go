package words

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// pattern is an English sentence with places for values.
type pattern struct {
	english string
	form    *regexp.Regexp
	letters int    // of its own, without values
	inside  string // the longest part between values
	saying  []part
}

// part is text of the Vietnamese sentence, or the place of a value.
type part struct {
	text  string
	value int // from 1; 0: text
	again bool
}

// longer puts the pattern first that says more itself.
func longer(a, b *pattern) int {
	if d := b.letters - a.letters; d != 0 {
		return d
	}
	return strings.Compare(a.english, b.english)
}

var (
	verb  = regexp.MustCompile(`%[#+\- 0]*\d*(?:\.\d+)?[a-zA-Z%]`)
	place = regexp.MustCompile(`\{(\+?)(\d)\}`)
)

// forms are what a verb may have written.
var forms = map[byte]string{'d': `[+-]?\d+`, 'g': `\S+?`, 'f': `\S+?`, 'q': `"(?:[^"\\]|\\.)*"`, 'c': `.`, 'X': `[0-9A-F]+`}

func newPattern(english, vietnamese string) (*pattern, error) {
	p := &pattern{english: english}
	form, at, values := strings.Builder{}, 0, 0
	own := func(text string) {
		if p.letters += len(text); len(text) > len(p.inside) {
			p.inside = text
		}
		form.WriteString(regexp.QuoteMeta(text))
	}
	text := ""
	for _, m := range verb.FindAllStringIndex(english, -1) {
		text, at = text+english[at:m[0]], m[1]
		letter := english[m[1]-1]
		if letter == '%' {
			text += "%"
			continue
		}
		own(text)
		text = ""
		values++
		of, known := forms[letter]
		if !known {
			of = ".*?"
		}
		form.WriteString("(" + of + ")")
	}
	own(text + english[at:])
	var err error
	if p.form, err = regexp.Compile(`(?s)\A` + form.String() + `\z`); err != nil {
		return nil, fmt.Errorf("%q: %w", english, err)
	}
	at = 0
	said := map[int]bool{}
	for _, m := range place.FindAllStringSubmatchIndex(vietnamese, -1) {
		if m[0] > at {
			p.saying = append(p.saying, part{text: vietnamese[at:m[0]]})
		}
		n, _ := strconv.Atoi(vietnamese[m[4]:m[5]])
		if n < 1 || n > values {
			return nil, fmt.Errorf("%q has no value {%d}", english, n)
		}
		said[n], at = true, m[1]
		p.saying = append(p.saying, part{value: n, again: m[2] < m[3]})
	}
	if at < len(vietnamese) {
		p.saying = append(p.saying, part{text: vietnamese[at:]})
	}
	if len(said) < values || len(p.saying) == 0 {
		return nil, fmt.Errorf("%q: the Vietnamese leaves out a value", english)
	}
	return p, nil
}

// own is how much a pattern says itself; nil says nothing.
func (p *pattern) own() int {
	if p == nil {
		return 0
	}
	return p.letters
}

// find is the first pattern, with more than least letters of its own, that is the
// sentence, and the values in it, from 1.
func find(ps []*pattern, sentence string, least int) (*pattern, []string) {
	for _, p := range ps {
		if p.letters <= least {
			break
		}
		if !strings.Contains(sentence, p.inside) {
			continue
		}
		if values := p.form.FindStringSubmatch(sentence); values != nil {
			return p, values
		}
	}
	return nil, nil
}
