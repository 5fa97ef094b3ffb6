package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/ingest"
)

// A station folder with everything wrong in it: each file costs itself only, and
// is told where people look.
func TestStoryStationFolderWithTroubles(t *testing.T) {
	folder := t.TempDir()
	now := time.Now().In(time.FixedZone("", 7*3600)).Format("20060102150405")
	put := func(path string, content []byte) {
		t.Helper()
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	row := func(symbol, value, unit string) []byte {
		return fmt.Appendf(nil, "%s\t%s\t%s\t%s\t00\n", symbol, value, unit, now)
	}
	put("done/stuck", nil) // where a folder is wanted
	put("stuck/QB_NM1_NUO001_"+now+".txt", row("COD", "21.5", "mg/L"))
	put("QB_NM1_NUO002_"+now+".txt", append(row("COD", "-9999", "mg/L"), row("pH", "7.2", "-")...))
	put("QB_NM1_NUO003_"+now+".txt", bytes.Repeat([]byte("x\n"), ingest.MaxForeign/2+1))
	s := serveBehind(t, mosquitto(t), fmt.Sprintf("[[sources]]\nname = \"stations\"\nformat = \"station\"\nfolder = \"%s\"\nrest = \"200ms\"\n", folder))

	for id, want := range map[string]string{"QB_NM1_NUO001": "cod good", "QB_NM1_NUO002": "cod device_error"} {
		s.eventually(id+" has "+want, func() bool {
			var d struct {
				Values map[string]struct{ Quality string }
			}
			return s.call("GET", "/api/v1/devices/"+id, nil, &d) == 200 && "cod "+d.Values["cod"].Quality == want
		})
	}
	s.eventually("/readyz says what is wrong", func() bool {
		status, text := s.page("/readyz")
		return status == 200 && strings.Contains(text, "warning: source stations: files that were taken but cannot be moved aside: 1; not a directory")
	})
	var letters struct {
		Items []struct {
			Format, Code, Message, Topic string
			Size                         int
			Payload                      []byte
		}
	}
	s.eventually("the large file is a dead letter", func() bool {
		s.call("GET", "/api/v1/dead-letters", nil, &letters)
		return len(letters.Items) == 1
	})
	if l := letters.Items[0]; l.Format != "stations" || l.Code != "payload_too_large" || l.Size != ingest.MaxForeign+2 || len(l.Payload) > 64<<10 ||
		!strings.Contains(l.Message, "it is bad/QB_NM1_NUO003_"+now+".txt") || l.Topic != "QB_NM1_NUO003_"+now+".txt" {
		l.Payload = nil
		t.Errorf("the dead letter is %+v", l)
	}
	var sources struct {
		Items []struct {
			Name        string
			Stored      int
			DeadLetters int `json:"dead_letters"`
			Problems    []ingest.SourceProblem
		}
	}
	s.call("GET", "/api/v1/sources", nil, &sources)
	for _, src := range sources.Items {
		if src.Name == "stations" && (src.Stored != 2 || src.DeadLetters != 1 || len(src.Problems) != 1 || src.Problems[0].File != "stuck/QB_NM1_NUO001_"+now+".txt") {
			t.Errorf("the source is %+v", src)
		}
	}
	if n := s.call("POST", "/api/v1/dead-letters/replay", map[string]any{}, nil); n >= 500 {
		t.Errorf("replay answers %d", n)
	}
	s.call("GET", "/api/v1/dead-letters", nil, &letters)
	if len(letters.Items) != 1 {
		t.Errorf("a file of which only the beginning is kept was replayed: %+v", letters.Items)
	}
}
