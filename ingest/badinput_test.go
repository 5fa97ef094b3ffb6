package ingest_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"haidang/ingest"
)

const eventTopic = "ioc/v1/devices/qb-air-01/events"

// native are sound payloads of the native form; the time stands for one of now.
var native = []struct{ topic, payload string }{
	{airTopic, `{"ts":"TIME","seq":7,"lat":17.468,"lon":106.622,"values":{"pm25":38.4,"o3":12},"status":{"o3":"01"},"fw":{"v":[1,2]}}`},
	{airTopic, `[{"ts":MILLIS,"values":{"pm25":38.4}},{"ts":"TIME","sent":MILLIS,"values":{"pm25":2,"đục":3}}]`},
	{eventTopic, `{"ts":"TIME","type":"violation","severity":"major","lat":17.468,"lon":106.622,"data":{"speed":71.5,"plate":"73A-123.45"}}`},
}

func offline() *ingest.Pipeline {
	return ingest.NewPipeline(ingest.Options{Registry: registry{}, Bounds: ingest.DefaultBounds(), Log: slog.New(slog.DiscardHandler)})
}

var (
	code    = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	garbled = regexp.MustCompile(`%!\w\(\w+=|%!\(EXTRA|\(MISSING\)`) // a format that went wrong
)

// understood holds refusals to having a stable code and words for people.
func understood(t *testing.T, payload string, refusals []*ingest.Refusal) {
	t.Helper()
	for _, r := range refusals {
		if !code.MatchString(r.Code) || len(r.Message) < 12 || !utf8.ValidString(r.Message) ||
			garbled.MatchString(r.Message) || strings.Contains(r.Message, "strconv") || strings.Contains(r.Message, "jsontext") {
			t.Errorf("%.200q is refused as %+v", payload, r)
		}
	}
}

// Whatever breaks a sound payload, nothing of it is taken, but where the word
// of the case says so.
func TestBrokenNativeInputIsRefused(t *testing.T) {
	p := offline()
	numeral := regexp.MustCompile(`[:\[,]-?\d+(\.\d+)?`)
	number := func(change func(string) string) func(string) []string {
		return func(s string) (all []string) {
			for _, at := range numeral.FindAllStringIndex(s, -1) {
				if strings.Count(s[:at[0]], `"`)%2 == 0 && !strings.Contains(s[:at[0]], `"fw"`) && !strings.Contains(s[:at[0]], `"data"`) {
					all = append(all, s[:at[0]+1]+change(s[at[0]+1:at[1]])+s[at[1]:])
				}
			}
			return all
		}
	}
	inserted := func(what string) func(string) []string {
		return func(s string) (all []string) {
			for n := range len(s) + 1 {
				all = append(all, s[:n]+what+s[n:])
			}
			return all
		}
	}
	whole := func(payloads ...string) func(string) []string { return func(string) []string { return payloads } }
	for _, b := range []struct {
		name string
		vary func(string) []string
	}{
		{"cut off", func(s string) (all []string) {
			for n := range len(s) {
				all = append(all, s[:n])
			}
			return all
		}},
		{"something after it", func(s string) []string {
			return []string{s + "x", s + " x", s + "\x00", s + ",", s + "]", s + "}", s + "{}", s + s, s + "\xff", s + " // note"}
		}},
		{"empty", whole("", " ", "\t\r\n", "\u00a0", "\x00", "\x00\x00\x00")},
		{"invalid UTF-8", inserted("\xff")},
		{"Windows-1258", inserted("\xe1")},
		{"NUL", inserted("\x00")},
		{"UTF-16", func(s string) []string {
			var little []byte
			for _, u := range utf16.Encode([]rune(s)) {
				little = append(little, byte(u), byte(u>>8))
			}
			return []string{string(little), "\xff\xfe" + string(little)}
		}},
		{"byte order mark", func(s string) []string { return []string{"\ufeff" + s} }},
		{"hostile nesting", func(s string) []string {
			const deep = 100_000
			return []string{strings.Repeat("[", deep), strings.Repeat(`{"a":`, 50_000), strings.Repeat("[", deep) + strings.Repeat("]", deep),
				s[:len(s)-1] + `,"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + s[len(s)-1:]}
		}},
		{"number as text", number(func(x string) string { return `"` + x + `"` })},
		{"decimal comma as text", number(func(x string) string { return `"` + strings.Replace(x, ".", ",", 1) + `"` })},
		{"NaN", number(func(string) string { return "NaN" })},
		{"infinity", number(func(string) string { return "-Infinity" })},
		{"too large a number", number(func(string) string { return "1e999" })},
		{"leading zero", number(func(x string) string { return "0" + x })},
		{"hexadecimal", number(func(x string) string { return "0x" + x })},
		{"duplicate key", func(s string) (all []string) {
			for _, at := range regexp.MustCompile(`\{("[^"]+":)`).FindAllStringSubmatchIndex(s, -1) {
				all = append(all, s[:at[2]]+s[at[2]:at[3]]+"null,"+s[at[2]:])
			}
			return all
		}},
	} {
		for _, good := range native {
			s := strings.NewReplacer("TIME", time.Now().UTC().Format(time.RFC3339), "MILLIS", fmt.Sprint(time.Now().UnixMilli())).Replace(good.payload)
			if rs, es, refusals := p.Decode(nil, good.topic, []byte(s)); len(rs)+len(es) == 0 || len(refusals) > 0 {
				t.Fatalf("%s gives %v", s, refusals)
			}
			for i, broken := range b.vary(s) {
				readings, events, refusals := p.Decode(nil, good.topic, []byte(broken))
				understood(t, broken, refusals)
				// In an array the other elements are sound.
				if taken := len(readings) + len(events); len(refusals) == 0 || taken > 0 && s[0] != '[' {
					t.Errorf("%s %d: %.300q gives %d readings or events and refuses %d", b.name, i, broken, taken, len(refusals))
				}
			}
		}
	}
}

func TestImpossibleDatesAreRefused(t *testing.T) {
	p := offline()
	for _, ts := range []string{`"2026-02-30T00:00:00Z"`, `"2026-13-01T00:00:00Z"`, `"0000-11-22T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"0001-01-01T07:00:00+07:00"`, `"99999-01-01T00:00:00Z"`,
		`"2026-11-22T24:00:00Z"`, `"2026-11-22T23:59:60Z"`, `"2026-11-22T08:00:00"`, `"2026-11-22 08:00:00Z"`, `""`, `"1795334400000"`,
		"-62135596800000", "1e14", "1e300", "1795334400000000", "0", "true", "null", "{}", "[]"} {
		payload := `{"ts":` + ts + `,"values":{"pm25":1}}`
		readings, _, refusals := p.Decode(nil, airTopic, []byte(payload))
		understood(t, payload, refusals)
		if len(readings) > 0 || len(refusals) != 1 {
			t.Errorf("%s is taken: %+v", payload, readings)
		}
	}
}

// The largest payload that is taken, made of much in little, takes memory in
// proportion.
func TestLargeNativePayloadsTakeBoundedMemory(t *testing.T) {
	p := offline()
	fill := func(head, body, tail string) []byte {
		return []byte(head + strings.Repeat(body, (ingest.MaxPayload-len(head)-len(tail))/len(body)) + tail)
	}
	for name, payload := range map[string][]byte{
		"readings": fill("[", `{"values":{"a":1}},`, `{}]`), "objects": fill("[", "{},", "{}]"), "numbers": fill("[", "0,", "0]"), "values": fill(`{"values":{"a":1`, `,"b":2`, `}}`),
		"blanks": fill("", " ", ""), "a long name": fill(`{"values":{"`, "x", `":1}}`), "brackets": fill("", "[", ""), "a long text": fill(`{"x":"`, "x", `"}`), "escapes": fill(`{"x":"`, `\u0041`, `"}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, refusals := p.Decode(nil, airTopic, payload)
		runtime.ReadMemStats(&after)
		understood(t, name, refusals)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64*uint64(len(payload)) {
			t.Errorf("%s of %d KiB take %d KiB", name, len(payload)>>10, used>>10)
		}
	}
}
