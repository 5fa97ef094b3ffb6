package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// decode runs the command on a payload in a file of that name.
func decode(t *testing.T, k decodeCmd, name, payload string) (string, error) {
	t.Helper()
	k.File = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(k.File, []byte(payload), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := k.run(&out)
	return out.String(), err
}

func TestDecodeShowsWhatAPayloadWouldBecome(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	local := now.Add(7 * time.Hour).Format("20060102150405")
	row := func(name, x, unit string) string { return fmt.Sprintf("%s\t%s\t%s\t%s\t00\n", name, x, unit, local) }
	station := "HN_ABCD_NUO001_" + local + ".txt"
	old := filepath.Join(t.TempDir(), "old.toml")
	if err := os.WriteFile(old, []byte("[times]\npast='accept'\n[[sources]]\nname='plant'\nformat='station'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what    string
		k       decodeCmd
		name    string
		payload string
		says    []string
		fails   bool
	}{
		{"a station's file", decodeCmd{As: "station"}, station, row("PM2,5", "38.4", "ug/Nm3") + row("SO2", "1,5", "ug/Nm3"),
			[]string{`"device":"HN_ABCD_NUO001"`, `"ts":"` + now.Format(time.RFC3339) + `"`, `"lateness":"live"`, `"pm25":{"value":38.4,"unit":"µg/m³"}`, "line 2", "decimal mark is the point", `"stage":"decode"`}, false},
		{"a wrong unit", decodeCmd{As: "station"}, station, row("PM2,5", "38.4", "ppm"), []string{`"code":"unit_wrong"`, `"stage":"validate"`, "line 1"}, true},
		{"a value out of range", decodeCmd{As: "station"}, station, row("PM2,5", "99999999", "ug/Nm3"), []string{`"quality":"out_of_range"`}, false},
		{"a time long ago", decodeCmd{As: "native"}, "a.json", `{"ts":"1999-01-01T00:00:00Z","values":{"pm25":1}}`, []string{`"code":"time_too_old"`}, true},
		{"one accepted by the configuration", decodeCmd{As: "native", Config: old}, "a.json", `{"ts":"1999-01-01T00:00:00Z","values":{"pm25":1}}`, []string{`"time_source":"suspect"`, `"quality":"time_suspect"`}, false},
		{"a source", decodeCmd{As: "plant", Config: old}, station, row("PM2,5", "38.4", "ug/Nm3"), []string{`"pm25":{"value":38.4,"unit":"µg/m³"}`}, false},
		{"a place elsewhere", decodeCmd{As: "native"}, "a.json", `{"lat":12,"lon":125,"values":{}}`, []string{`"code":"position_outside"`}, true},
		{"native readings", decodeCmd{As: "native", Type: "air_station"}, "a.json", `[{"values":{"pm25":7}},{"values":{"pm25":"x"}}]`, []string{`"time_source":"server"`, `"unit":"µg/m³"`, `"code":"type_wrong"`}, false},
		{"an event, by what it says", decodeCmd{As: "native"}, "a.json", `{"type":"red_light","severity":"minor"}`, []string{`"event":"red_light"`}, false},
		{"half an event", decodeCmd{As: "native"}, "a.json", `{"type":`, []string{`"code":"json_invalid"`, `ends too early`}, true},
		{"half a status", decodeCmd{As: "native"}, "a.json", `{"values":{"pm25":1},"status":{"pm25":`, []string{`"code":"json_invalid"`}, true},
		{"a row of another century", decodeCmd{As: "station"}, station, row("PM10", "1", "ug/Nm3") + "PM10\t1\tug/Nm3\t19261101070000\t00\nSO2\t1\tug/Nm3\t19261101070000\t00\n", []string{`"line 2 to line 3: `, `"code":"time_too_old"`}, false},
		{"a native event", decodeCmd{As: "native", Topic: "ioc/v1/devices/cam-1/events"}, "a.json", `{"type":"red_light","severity":"minor"}`, []string{`"device":"cam-1"`, `"event":"red_light"`}, false},
	} {
		out, err := decode(t, c.k, c.name, c.payload)
		if (err != nil) != c.fails {
			t.Errorf("%s ends as %v", c.what, err)
		}
		for _, says := range c.says {
			if !strings.Contains(out, says) {
				t.Errorf("%s: decode says\n%s\nwithout %s", c.what, out, says)
			}
		}
	}
	if _, err := decode(t, decodeCmd{As: "xml"}, "x", "x"); err == nil || !strings.Contains(err.Error(), "known are chirpstack") {
		t.Errorf("an unknown format: %v", err)
	}
	if _, err := decode(t, decodeCmd{As: "native", Type: "submarine"}, "x", "{}"); err == nil || !strings.Contains(err.Error(), `no device type "submarine"`) {
		t.Errorf("an unknown type: %v", err)
	}
	if _, err := decode(t, decodeCmd{As: "plant", Config: old + "x"}, "x", "x"); err == nil {
		t.Error("a missing configuration is no error")
	}
}
