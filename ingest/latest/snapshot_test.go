package latest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"haidang/ingest"
)

// The folder is away for a while, as when a disk is full: nothing ends.
func TestSnapshotIsTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "latest.gob")
	tr := New()
	tr.apply([]ingest.Entry{reading(0, 0, 1)}, t0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tick, done := make(chan time.Time), make(chan error, 1)
	go func() {
		done <- ingest.KeepSaved(ctx, tick, slog.New(slog.NewTextHandler(t.Output(), nil)), func() error { return tr.Save(path) })
	}()
	tick <- time.Now()
	tick <- time.Now() // the first failed and was survived
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	tick <- time.Now()
	tick <- time.Now() // the third is through
	again := New()
	if err := again.Load(path); err != nil || pm25(t, again) != 1 {
		t.Errorf("loaded %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
