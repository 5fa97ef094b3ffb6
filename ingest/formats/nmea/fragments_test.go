package nmea_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/golden"
)

// Two ships' static data, whose senders gave them the same number and channel.
var (
	a1 = sentence("AIVDM,2,1,3,B,53@o0E000001Q0CG37U8u<Tp4q@D00000000000018330400000000000000,0")
	a2 = sentence("AIVDM,2,2,3,B,00000000008,2")
	b1 = "!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E"
	b2 = "!AIVDM,2,2,3,B,1@0000000000000,2*55"
)

const shipA, shipB = "ais-219005012", "ais-369190000"

func sum(s string) (x byte) {
	for i := range len(s) {
		x ^= s[i]
	}
	return x
}

func sentence(body string) string { return fmt.Sprintf("!%s*%02X", body, sum(body)) }

func tagged(tag, line string) string { return fmt.Sprintf(`\%s*%02X\%s`, tag, sum(tag), line) }

// came is one payload.
type came struct {
	sender, lines string
	after         time.Duration // what came before it
}

// told has each item of some payloads, in short.
func told(payloads []came) (short []string, items []ingest.Item) {
	d, at := build(), golden.Received
	for _, p := range payloads {
		at = at.Add(p.after)
		items = append(items, d.Decode(ingest.Input{Topic: "tcp/ais", Sender: p.sender, Payload: []byte(p.lines), ReceivedAt: at})...)
	}
	for _, it := range items {
		if it.Refusal != nil {
			short = append(short, it.Refusal.Code)
		} else {
			short = append(short, string(it.Device))
		}
	}
	return short, items
}

func TestFragmentsAreJoined(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		payloads []came
		want     string
	}{
		"across payloads":          {[]came{{"x", b1, 0}, {"x", b2, s}}, shipB},
		"in the other order":       {[]came{{"x", b2, 0}, {"x", b1, s}}, shipB},
		"one twice":                {[]came{{"x", b1, 0}, {"x", b1, s}, {"x", b2, s}}, shipB},
		"too late":                 {[]came{{"x", b1, 0}, {"x", b2, 6 * s}}, "fragment_missing"},
		"never":                    {[]came{{"x", b1, 0}, {"x", "", 5 * s}, {"y", "", s}, {"x", "", s}}, "fragment_missing"},
		"another one began":        {[]came{{"x", a1, 0}, {"x", b1, s}, {"x", b2, s}}, "fragment_missing " + shipB},
		"two senders":              {[]came{{"x", a1, 0}, {"y", b1, 0}, {"x", a2, 0}, {"y", b2, 0}}, shipA + " " + shipB},
		"two senders, one is lost": {[]came{{"x", a1, 0}, {"y", b1, 0}, {"x", a2, 0}, {"", "", 6 * s}}, shipA + " fragment_missing"},
		"two stations": {[]came{{"x", tagged("s:qb,c:1795334398", a1) + "\n" + tagged("s:hue,c:1795334398", b1), 0},
			{"x", tagged("s:qb,c:1795334398", a2) + "\n" + tagged("s:hue,c:1795334398", b2), 0}}, shipA + " " + shipB},
		"only the first line of a group names the station": {[]came{{"x", tagged("g:1-2-71,s:qb", a1) + "\n" + tagged("g:1-2-72,s:hue", b1), 0},
			{"x", tagged("g:2-2-71", a2) + "\n" + tagged("g:2-2-72", b2), 0}}, shipA + " " + shipB},
		"only the first line has a TAG block": {[]came{{"x", tagged("s:qb", a1) + "\n" + a2, 0}}, shipA},
		"of a replay":                         {[]came{{"x", a1, 0}, {"x", b1, -time.Hour}, {"x", a2, time.Hour}}, shipA + " fragment_missing"},
	} {
		if got, items := told(c.payloads); strings.Join(got, " ") != c.want {
			t.Errorf("%s: gives %q, want %q", name, got, c.want)
		} else {
			for _, it := range items {
				golden.Check(t, it)
			}
		}
	}
}

// What is kept for replay has all parts that came, and the reason says whose
// they are.
func TestFragmentsAreKeptForReplay(t *testing.T) {
	_, items := told([]came{{"10.0.0.7:5000", b2, 0}, {"10.0.0.7:5000", b1, time.Second}, {"10.0.0.7:5000", tagged("s:qb", a1), 0}, {"x", "", time.Minute}})
	if len(items) != 2 || string(items[0].Raw) != b1+"\n"+b2 || string(items[1].Raw) != tagged("s:qb", a1) {
		t.Fatalf("kept %+v", items)
	}
	if m := items[1].Refusal.Message; m != "of a message in 2 parts from qb from 10.0.0.7:5000 only 1 came: the rest did not come within 5s" {
		t.Errorf("says %q", m)
	}
}

// However many messages are begun, few are open, and each is accounted for.
func TestOpenMessagesAreBoundedAndCounted(t *testing.T) {
	const n = 3000
	var payloads []came
	for i := range n {
		payloads = append(payloads, came{fmt.Sprint("sender ", i), a1, 0})
	}
	got, _ := told(payloads)
	if len(got) != n-1024 {
		t.Errorf("of %d begun messages %d are given up while the rest may come", n, len(got))
	}
	if got, _ = told(append(payloads, came{"x", "", time.Minute})); len(got) != n {
		t.Errorf("of %d begun messages %d are given up", n, len(got))
	}
}
