package mosquitto

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haidang/devices/credentials"
)

// What mosquitto could not be told is tried again, also when nothing changes.
func TestKeeperTriesAgain(t *testing.T) {
	dir := t.TempDir()
	var asked atomic.Int64
	o := Options{Dir: dir, Username: "haidang-ingest", Logins: func() ([]credentials.Login, int) { asked.Add(1); return nil, 0 }}
	told := filepath.Join(dir, "told")
	k := NewKeeper(o, []string{"sh", "-c", "test -e " + filepath.Join(dir, "up") + " && touch " + told}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	k.again = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { k.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	until := func(what string, is func() bool) {
		for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never: %s", what)
			}
		}
	}
	until("it has failed and tries again", func() bool { return asked.Load() > 2 })
	if _, err := os.Stat(told); err == nil || k.Failed() == nil {
		t.Error("told although it is down")
	}
	if err := os.WriteFile(filepath.Join(dir, "up"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until("it is told", func() bool { _, err := os.Stat(told); return err == nil })
	until("all is well", func() bool { return k.Failed() == nil })
	os.Remove(told)
	k.Changed("a")
	until("it is told of the next change", func() bool { _, err := os.Stat(told); return err == nil })
}
