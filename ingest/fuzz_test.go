package ingest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"haidang/devices"
	"haidang/ingest"
)

// seeds gives a fuzz target the sound payloads of one topic and some others.
func seeds(f *testing.F, topic string) {
	for _, s := range native {
		if s.topic == topic {
			f.Add([]byte(strings.NewReplacer("TIME", time.Now().UTC().Format(time.RFC3339), "MILLIS", fmt.Sprint(time.Now().UnixMilli())).Replace(s.payload)))
		}
	}
	for _, s := range []string{`{"values":{"pm25":1}}`, `[{"ts":1,"values":{}}]`, `{"type":"sos","severity":"critical"}`, `[{}]`, `[`, `{"a":"\ud800"}`, "\xff", `{"values":{"a":1e999}} x`} {
		f.Add([]byte(s))
	}
}

// FuzzNativeReadings: what is taken is finite, named, in time and in place.
func FuzzNativeReadings(f *testing.F) {
	seeds(f, airTopic)
	p := offline()
	f.Fuzz(func(t *testing.T, payload []byte) {
		readings, events, refusals := p.Decode(nil, airTopic, payload)
		understood(t, string(payload), refusals)
		if len(events) > 0 || len(readings)+len(refusals) == 0 {
			t.Fatalf("%q gives %d events, %d readings and %d refusals", payload, len(events), len(readings), len(refusals))
		}
		for _, r := range readings {
			names := map[string]bool{}
			for _, v := range r.Values {
				if v.Metric == "" || !utf8.ValidString(v.Metric) || names[v.Metric] || math.IsNaN(v.Number) || math.IsInf(v.Number, 0) {
					t.Fatalf("%q gives the value %+v", payload, v)
				}
				names[v.Metric] = true
			}
			sound(t, r.FixTime, r.Position)
		}
	})
}

// FuzzNativeEvents: what is taken has a type, a known severity and data that is
// an object.
func FuzzNativeEvents(f *testing.F) {
	seeds(f, eventTopic)
	p := offline()
	f.Fuzz(func(t *testing.T, payload []byte) {
		readings, events, refusals := p.Decode(nil, eventTopic, payload)
		understood(t, string(payload), refusals)
		if len(readings) > 0 || len(events)+len(refusals) == 0 {
			t.Fatalf("%q gives %d events, %d readings and %d refusals", payload, len(events), len(readings), len(refusals))
		}
		for _, e := range events {
			var data map[string]any
			if e.Type == "" || !strings.Contains(" critical major minor info ", " "+e.Severity+" ") && e.Severity != "" || len(e.Data) > 0 && json.Unmarshal(e.Data, &data) != nil {
				t.Fatalf("%q gives the event %+v", payload, e)
			}
			sound(t, e.FixTime, e.Position)
		}
	})
}

func sound(t *testing.T, at time.Time, p *devices.Position) {
	t.Helper()
	b := ingest.DefaultBounds()
	if now := time.Now(); at.After(now.Add(b.Future+time.Minute)) || at.Before(now.Add(-b.Past-time.Minute)) {
		t.Fatalf("the fix time is %s", at)
	}
	if p != nil && !(p.Lat >= b.MinLat && p.Lat <= b.MaxLat && p.Lon >= b.MinLon && p.Lon <= b.MaxLon) {
		t.Fatalf("the position is %+v", *p)
	}
}

// FuzzTopic: a topic leads to a device only by its id, and a refusal has words.
func FuzzTopic(f *testing.F) {
	for _, s := range []string{airTopic, eventTopic, "ioc/v1/devices/qb-air-01/state", "ioc/v1/devices//readings", "ioc/v1/devices/tàu/readings", "ioc/v1/devices/qb-air-01/commands/1", "ioc/v1/reports", "a/b", "", "\xff/\x00"} {
		f.Add(s)
	}
	p := offline()
	f.Fuzz(func(t *testing.T, topic string) {
		readings, events, refusals := p.Decode(nil, topic, []byte(`{"type":"x","values":{"pm25":1}}`))
		understood(t, topic, refusals)
		for _, r := range readings {
			if want := ingest.ReadingsTopic(r.Device); !strings.EqualFold(topic, want) {
				t.Fatalf("a reading of %s came on %q", r.Device, topic)
			}
		}
		for _, e := range events {
			if !strings.EqualFold(topic, ingest.DeviceRoot+string(e.Device)+"/events") {
				t.Fatalf("an event of %s came on %q", e.Device, topic)
			}
		}
	})
}

// FuzzFilters: a sound filter never takes in our own topics or the broker's, and
// matching is that of the MQTT standard, told level by level.
func FuzzFilters(f *testing.F) {
	for _, s := range [][2]string{{"application/+/device/+/event/+", "application/1/device/2/event/up"}, {"a/#", "a"}, {"a/+", "a/"}, {"+/b", "a/b"}, {"#", "$SYS/x"}, {"ioc/v1/#", "ioc/v1/reports"}, {"ioc/+/reports", "ioc/v1/reports"}, {"ioc/#", airTopic}, {"", ""}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, filter, topic string) {
		fits := ingest.Matches(filter, topic)
		err := ingest.CheckFilter(filter)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if strings.HasPrefix(topic, "$") && fits {
			t.Fatalf("filter %q takes in the broker's %q", filter, topic)
		}
		if strings.ContainsAny(topic, "+#") {
			return // no topic that can be published on
		}
		if want := matches(strings.Split(filter, "/"), strings.Split(topic, "/")); fits != want {
			t.Fatalf("%q fits %q: %v, not %v", filter, topic, fits, want)
		}
	})
}

func matches(filter, topic []string) bool {
	switch {
	case len(filter) == 1 && filter[0] == "#":
		return true
	case len(filter) == 0 || len(topic) == 0:
		return len(filter) == len(topic)
	case filter[0] != "+" && filter[0] != topic[0]:
		return false
	}
	return matches(filter[1:], topic[1:])
}

// FuzzParseLimits: limits that are taken say what was written.
func FuzzParseLimits(f *testing.F) {
	for _, s := range []string{"", " ", "200:1,6000:60", "1:86400", "0:1", "5", "5:", ":5", "1:1,1:1,1:1,1:1,1:1", "9223372036854775808:1", "+1:1", "1:1,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		limits, err := ingest.ParseLimits(s)
		if err != nil {
			if len(limits) > 0 {
				t.Fatalf("%q gives %v and %v", s, limits, err)
			}
			return
		}
		var again []string
		for _, l := range limits {
			if l.N < 1 || l.Per < time.Second || l.Per > 24*time.Hour {
				t.Fatalf("%q gives the limit %+v", s, l)
			}
			again = append(again, fmt.Sprintf("%d:%d", l.N, l.Per/time.Second))
		}
		if len(limits) > 4 || (len(limits) == 0) != (strings.TrimSpace(s) == "") {
			t.Fatalf("%q gives %d limits", s, len(limits))
		}
		if same, err := ingest.ParseLimits(strings.Join(again, ",")); err != nil || fmt.Sprint(same) != fmt.Sprint(limits) {
			t.Fatalf("%q is %v, and written again %v %v", s, limits, same, err)
		}
	})
}
