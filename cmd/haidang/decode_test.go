package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDecodeShowsWhatAPayloadWouldBecome(t *testing.T) {
	file := filepath.Join(t.TempDir(), "HN_ABCD_NUO001_20260101120500.txt")
	os.WriteFile(file, []byte("PM2,5\t38.4\tug/Nm3\t20260101120500\t00\nSO2\t1,5\tug/Nm3\t20260101120500\t00\n"), 0o600)
	var out strings.Builder
	if err := (&decodeCmd{As: "station", File: file}).run(&out); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{`"device":"HN_ABCD_NUO001"`, `"ts":"2026-01-01T05:05:00Z"`, `"pm25":{"value":38.4,"unit":"ug/Nm3"}`, `"where":"line 2"`, `decimal mark is the point`} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("decode says\n%s\nwithout %s", out.String(), says)
		}
	}
	if err := (&decodeCmd{As: "xml", File: file}).run(&out); err == nil || !strings.Contains(err.Error(), "known are chirpstack") {
		t.Errorf("an unknown format: %v", err)
	}
	os.WriteFile(file, []byte("x"), 0o600)
	if err := (&decodeCmd{As: "station", File: file}).run(&out); err == nil {
		t.Error("a file of which nothing can be read is no error")
	}
}
