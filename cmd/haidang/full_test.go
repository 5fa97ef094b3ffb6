package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"haidang/ingest"
	"haidang/ingest/ingesttest"
	"haidang/ingest/journal"
)

// After a kill there is a log to be indexed before anything can be written: when
// the disk has no room for the index, SQLite names it an input/output error, and
// the start says that the disk is full.
func TestStartOnAFullDiskSaysSo(t *testing.T) {
	dir, before := t.TempDir(), filepath.Join(t.TempDir(), "journal")
	ingesttest.SmallDisk(t, dir, "4m")
	j, err := journal.Open(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	r := &ingest.Reading{Device: "a", FixTime: time.Now(), ReceivedAt: time.Now(), Values: []ingest.Value{{Metric: "pm25", Number: 1}}}
	if _, err := j.Append(t.Context(), []ingest.Entry{{Reading: r}}); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(dir, "journal")
	if err := os.CopyFS(killed, os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
	indexes, err := filepath.Glob(filepath.Join(killed, "*-shm"))
	if err != nil || len(indexes) == 0 {
		t.Fatalf("no index of a log: %v %v", indexes, err)
	}
	for _, x := range indexes {
		os.Remove(x)
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 4<<20), 0o600); err == nil {
		t.Fatal("the disk took all")
	}
	j2, err := journal.Open(t.Context(), killed)
	if err == nil {
		j2.Close()
		t.Fatal("it opened")
	}
	if !isDiskFull(err) {
		t.Errorf("it says %v", err)
	}
}
