// Package words says the server's sentences in Vietnamese.
//
// Sources write plain English where they are, as they do for logs and for the
// API. vi.json has the same sentences, with their fmt verbs, and what each is in
// Vietnamese; a finished sentence is recognised by what stands between its values.
// In the Vietnamese, {1} is the first value as it stands, and {+1} that value said
// in Vietnamese too: it is a sentence of its own, or one of the words. Words are
// only looked for there, for a word alone may be somebody's own.
//
// A test holds vi.json against the sources: a sentence that people are shown and
// that is missing here fails it.
package words

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

const (
	// longest is how many bytes a sentence has at most that is looked for.
	longest = 8 << 10
	// deepest is how far a sentence may stand within others: a row of a file, of
	// which a field is wrong, because …
	deepest = 4
)

//go:embed vi.json
var file []byte

// shipped is the catalogue; it is read when it is first needed.
var shipped = sync.OnceValue(func() *catalogue {
	c, err := read(file)
	if err != nil {
		panic(err) // a test reads it too
	}
	return c
})

// Vietnamese says a sentence in Vietnamese, with all its values. What is not known
// is returned as it is.
func Vietnamese(sentence string) string {
	said, _ := shipped().say(sentence, 0)
	return said
}

// catalogue is all that can be said.
type catalogue struct{ sentences, words index }

// index finds patterns by how a sentence begins.
type index struct {
	whole map[string]string     // those without values
	first map[string][]*pattern // by their first word
	open  []*pattern            // those that begin with a value
}

func read(text []byte) (*catalogue, error) {
	var f struct{ Sentences, Words map[string]string }
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("read the Vietnamese sentences: %w", err)
	}
	sentences, err := newIndex(f.Sentences)
	if err != nil {
		return nil, err
	}
	words, err := newIndex(f.Words)
	return &catalogue{sentences, words}, err
}

func newIndex(pairs map[string]string) (index, error) {
	x := index{whole: map[string]string{}, first: map[string][]*pattern{}}
	for english, vietnamese := range pairs {
		p, err := newPattern(english, vietnamese)
		if err != nil {
			return x, err
		}
		word, _, more := strings.Cut(english, " ")
		switch {
		case len(p.saying) == 1 && p.saying[0].value == 0:
			x.whole[strings.ReplaceAll(english, "%%", "%")] = p.saying[0].text
		case more && !strings.Contains(word, "%"):
			x.first[word] = append(x.first[word], p)
		default:
			x.open = append(x.open, p)
		}
	}
	for _, ps := range x.first {
		slices.SortFunc(ps, longer)
	}
	slices.SortFunc(x.open, longer)
	return x, nil
}

// say is a sentence in Vietnamese, if it is known.
func (c *catalogue) say(sentence string, depth int) (string, bool) {
	if len(sentence) > longest || depth > deepest {
		return sentence, false
	}
	if depth > 0 {
		if said, known := c.words.say(c, sentence, depth); known {
			return said, true
		}
	}
	return c.sentences.say(c, sentence, depth)
}

func (x *index) say(c *catalogue, sentence string, depth int) (string, bool) {
	if said, known := x.whole[sentence]; known {
		return said, true
	}
	word, _, _ := strings.Cut(sentence, " ")
	p, values := find(x.first[word], sentence, 0)
	if q, others := find(x.open, sentence, p.own()); q != nil {
		p, values = q, others
	}
	if p == nil {
		return sentence, false
	}
	var b strings.Builder
	for _, s := range p.saying {
		switch {
		case s.value == 0:
			b.WriteString(s.text)
		case s.again:
			said, _ := c.say(values[s.value], depth+1)
			b.WriteString(said)
		default:
			b.WriteString(values[s.value])
		}
	}
	return b.String(), true
}
