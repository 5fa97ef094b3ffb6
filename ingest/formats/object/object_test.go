package object_test

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"

	"haidang/ingest/formats/object"
)

func TestDecimalTakesOnlyWhatASensorWrites(t *testing.T) {
	for s, want := range map[string]float64{"38.4": 38.4, "-1.5e-3": -0.0015, "+2": 2, "7.": 7, ".5": 0.5, "1E3": 1000, "007": 7} {
		if x, ok := object.Decimal(s); !ok || x != want {
			t.Errorf("%q is %g %v", s, x, ok)
		}
	}
	for _, s := range []string{"", " 1", "1 ", "38,4", "1.234,5", "0x10", "0x1p3", "1_000", "NaN", "Inf", "-Infinity", "1e999", "1e", "--1", "1.2.3", "١", "12 xe"} {
		if x, ok := object.Decimal(s); ok {
			t.Errorf("%q is taken as %g", s, x)
		}
	}
}

func TestNamesThatAreBrokenAreNoDevice(t *testing.T) {
	for name, want := range map[string]string{"tr-1": "tr-1", " a b ": "a-b", "E4:30:22": "E4-30-22"} {
		if id, r := object.DeviceID("", name); r != nil || string(id) != want {
			t.Errorf("%q is %q %v", name, id, r)
		}
	}
	for _, name := range []string{"", "đ", "---", "a\x00b", "a\xe1b", "a\ufffdb", "a\nb", strings.Repeat("x", 65)} {
		if id, r := object.DeviceID("", name); r == nil {
			t.Errorf("%q is taken as %q", name, id)
		}
	}
}

func TestParseNamesThePlace(t *testing.T) {
	for payload, says := range map[string]string{
		`{"a":{"b":[1,-1e400]}}`: "number_out_of_range /a/b/1", `{"a":1,"a":2}`: "json_invalid at byte 7", "{\"a\":\"\xe1\"}": "encoding_wrong from byte 6", "\xff\xfe{\x00}\x00": "encoding_wrong UTF-16",
		"{\x00}\x00": "encoding_wrong byte 1", " \n\t ": "payload_empty empty", strings.Repeat(" ", 100): "payload_empty empty", strings.Repeat(" ", 100) + "x": "json_invalid at byte 100",
		strings.Repeat("[", 33): "json_too_deep at byte 32", "[" + strings.Repeat("0,", 500_000) + "0]": "json_too_long more than 500000", `{"a":1} x`: "json_invalid at byte 8",
	} {
		_, r := object.Parse([]byte(payload))
		code, words, _ := strings.Cut(says, " ")
		if r == nil || r.Code != code || !strings.Contains(r.Message, words) {
			t.Errorf("%.60q gives %+v, not %s", payload, r, says)
		}
	}
	if v, r := object.Parse([]byte("\xef\xbb\xbf{\"a\":1}")); r != nil || object.Get(v, "a") != 1.0 {
		t.Errorf("a byte order mark gives %v %v", v, r)
	}
}

// FuzzParse: what is read is what encoding/json reads, and reads the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,true,null,"x"]}`, `[{"bn":"a:","v":1e3}]`, `{"a":1,"a":2}`, "\xff\xfe", "\xef\xbb\xbf{}", `"\ud800"`, "1e999", "[[[["} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		v, r := object.Parse(payload)
		if r != nil {
			if r.Code == "" || r.Message == "" {
				t.Fatalf("%q is refused as %+v", payload, r)
			}
			return
		}
		if !json.Valid([]byte(strings.TrimPrefix(string(payload), "\ufeff"))) {
			t.Fatalf("%q is no JSON", payload)
		}
		raw := object.Raw(v)
		again, r := object.Parse(raw)
		if r != nil || string(object.Raw(again)) != string(raw) {
			t.Fatalf("%q is %s, and read again %v", payload, raw, r)
		}
	})
}

var decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// FuzzDecimal: a number as text is one in digits, and finite.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"38.4", "38,4", "0x1p3", "1_000", "NaN", "1e999", "-.5e-3", "+1.", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, ok := object.Decimal(s)
		if ok != (decimal.MatchString(s) && !math.IsInf(x, 0)) || ok && math.IsNaN(x) {
			t.Fatalf("%q is %g %v", s, x, ok)
		}
	})
}
