package ais_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"haidang/ingest/formats/nmea/ais"
)

// greatest is what each number may be; what says "not available" is above it.
var greatest = map[string]float64{"nav_status": 14, "speed_kn": 1022, "course_deg": 359.9, "heading_deg": 359, "altitude_m": 4094, "off_position": 1, "virtual_aton": 1,
	"imo": 1<<30 - 1, "ship_type": 255, "to_bow_m": 511, "to_stern_m": 511, "to_port_m": 63, "to_starboard_m": 63, "draught_m": 25.5, "aton_type": 31, "mother_ship": 1<<30 - 1}

// FuzzDecode: no payload breaks it, and no number is one that AIS does not have.
func FuzzDecode(f *testing.F) {
	sentences, err := os.ReadFile(filepath.Join("..", "testdata", "independent", "sentences.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(sentences) {
		fields := bytes.Split(bytes.TrimSpace(line), []byte(","))
		fill, err := strconv.Atoi(string(fields[6][:1]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(fields[5]), fill)
	}
	f.Add("", 0)
	f.Add("K", 5)
	f.Fuzz(func(t *testing.T, payload string, fill int) {
		m, err := ais.Decode(payload, fill)
		if m == nil || err != nil {
			if err != nil && (m != nil && m.Type == 0 || err.Error() == "") {
				t.Fatalf("%q gives %+v and %v", payload, m, err)
			}
			return
		}
		if m.MMSI == 0 || m.MMSI > 999_999_999 || m.HasPosition && !(m.Lat >= -90 && m.Lat <= 90 && m.Lon >= -180 && m.Lon <= 180) {
			t.Fatalf("%q gives %+v", payload, m)
		}
		for name, x := range m.Numbers {
			if last, known := greatest[name]; !known || x < 0 || x > last {
				t.Fatalf("%q gives %s %g", payload, name, x)
			}
		}
		for name, s := range m.Texts {
			for _, c := range s {
				if c < ' ' || c > '_' {
					t.Fatalf("%q gives %s %q", payload, name, s)
				}
			}
		}
	})
}
