package words

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// sample is the n-th value of a sentence, as its verb writes it.
func sample(letter byte, n int) string {
	switch letter {
	case 'd':
		return strconv.Itoa(40 + n)
	case 'g', 'f':
		return fmt.Sprintf("-%d.5", n)
	case 'q':
		return strconv.Quote(fmt.Sprintf(`Trạm "%d": không rõ; x, y`, n))
	case 'c':
		return "đ"
	case 'X':
		return "0111"
	}
	return fmt.Sprintf("giá-trị-%d", n)
}

// filled is a pattern with values, and the values from 1.
func filled(english string) (sentence string, values []string) {
	values = []string{""}
	sentence = verb.ReplaceAllStringFunc(english, func(v string) string {
		if v[len(v)-1] == '%' {
			return "%"
		}
		values = append(values, sample(v[len(v)-1], len(values)))
		return values[len(values)-1]
	})
	return sentence, values
}

// catalogued are the pairs as they stand in the file; one twice is an error.
func catalogued(t *testing.T) (sentences, words map[string]string) {
	t.Helper()
	var f struct {
		Sentences map[string]string `json:"sentences"`
		Words     map[string]string `json:"words"`
	}
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	return f.Sentences, f.Words
}

// Each sentence of the catalogue is recognised as itself, whatever its values, and
// has all of them in Vietnamese.
func TestEverySentenceKeepsItsValues(t *testing.T) {
	c, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	sentences, words := catalogued(t)
	check := func(pairs map[string]string, x *index) {
		for _, english := range slices.Sorted(maps.Keys(pairs)) {
			sentence, values := filled(english)
			want := place.ReplaceAllStringFunc(pairs[english], func(p string) string {
				n, _ := strconv.Atoi(strings.Trim(p, "{+}"))
				return values[n]
			})
			got, known := x.say(c, sentence, 0)
			if !known || got != want {
				t.Errorf("%q\n is said %q,\n not %q", sentence, got, want)
			}
			for _, v := range values {
				if !strings.Contains(got, v) {
					t.Errorf("%q lost %q: %q", sentence, v, got)
				}
			}
		}
	}
	check(sentences, &c.sentences)
	check(words, &c.words)
}

func TestSentencesWithinOthers(t *testing.T) {
	for english, want := range map[string]string{
		"device qb-1 exists already: conflict":                             "thiết bị qb-1 đã có",
		"device qb-1 is retired and waits for no approval: conflict":       "thiết bị qb-1 đã thanh lý, không phải đang chờ duyệt",
		"row 7: it is no number":                                           "dòng 7: đây không phải là số",
		`line 3: "x" is no number of degrees from -90 to 90`:               `dòng 3: "x" không phải số độ từ -90 đến 90`,
		"bad request: the body is not the JSON that is expected here: EOF": "nội dung không phải JSON đúng như cần ở đây: EOF",
		"Đồng Sơn (1) ended on 01/07/2025; now it is A (2) or B (3)":       "Đồng Sơn (1) hết hiệu lực ngày 01/07/2025; nay là A (2) hoặc B (3)",
		"30 days is less than 36 months, the least for the class vessel_tracks. Decree 41/2026/NĐ-CP: vessel tracks are kept at least 36 months and are not edited": "30 ngày ngắn hơn 36 tháng, mức tối thiểu của nhóm dữ liệu vessel_tracks. Nghị định 41/2026/NĐ-CP: dữ liệu hành trình phải lưu tối thiểu 36 tháng và không được sửa",
		"a-1 is valid from 2020-01-01 to 2025-07-01, which overlaps; end that version on 2024-01-01":                                                                "a-1 có hiệu lực từ 2020-01-01 đến trước 2025-07-01, bị chồng thời gian; hãy kết thúc phiên bản đó vào ngày 2024-01-01",
		"active":                   "active", // a word alone may be somebody's own
		"nobody wrote this":        "nobody wrote this",
		"":                         "",
		strings.Repeat("x", 9<<10): strings.Repeat("x", 9<<10),
	} {
		if got := Vietnamese(english); got != want {
			t.Errorf("%q\n is said %q,\n not %q", english, got, want)
		}
	}
}

func TestBrokenCataloguesAreRefused(t *testing.T) {
	for _, text := range []string{`{`, `{"sentences":{"%d of %d":"{1}"}}`, `{"sentences":{"%d":"{1} {2}"}}`, `{"words":{"x":""}}`} {
		if _, err := read([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
