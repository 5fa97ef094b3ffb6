package stationfiles

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/ingest"
)

type taker struct {
	mu    sync.Mutex
	names []string
	texts []string
	end   ingest.Outcome
	err   error
}

func (k *taker) take(_ context.Context, in ingest.Input) (ingest.Outcome, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.names, k.texts = append(k.names, in.Topic), append(k.texts, string(in.Payload))
	return k.end, k.err
}

func put(t *testing.T, path string, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	k := &taker{end: ingest.Outcome{Stored: 1}}
	f, err := New(Options{Dir: dir, Rest: 3 * time.Second, Take: k.take, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	scan := func(after time.Duration) {
		t.Helper()
		now = now.Add(after)
		if err := f.Scan(t.Context(), now); err != nil && k.err == nil {
			t.Fatal(err)
		}
	}
	// The later day's folder sorts first; the time in the name decides.
	put(t, filepath.Join(dir, "a", "QB_B_X_20260102000000.txt"), "x\n")
	put(t, filepath.Join(dir, "b", "QB_A_X_20260101000000.txt"), "x\n")
	put(t, filepath.Join(dir, ".hidden", "QB_A_X_20260101000000.txt"), "x\n")
	put(t, filepath.Join(dir, "half.txt.part"), "x\n")
	os.Symlink("/etc/passwd", filepath.Join(dir, "link.txt"))
	scan(0)
	if len(k.names) != 0 {
		t.Errorf("taken at first sight: %q", k.names)
	}
	put(t, filepath.Join(dir, "a", "QB_B_X_20260102000000.txt"), "xy\n") // still written
	scan(3 * time.Second)
	scan(3 * time.Second)
	if want := []string{"b/QB_A_X_20260101000000.txt", "a/QB_B_X_20260102000000.txt"}; !slices.Equal(k.names, want) {
		t.Errorf("taken %q, want %q", k.names, want)
	}
	for _, p := range []string{"done/a/QB_B_X_20260102000000.txt", "done/b/QB_A_X_20260101000000.txt", "half.txt.part", "link.txt", ".hidden/QB_A_X_20260101000000.txt"} {
		if _, err := os.Lstat(filepath.Join(dir, p)); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	scan(time.Minute)
	if len(k.names) != 2 {
		t.Errorf("taken again: %q", k.names)
	}

	// What cannot be kept now stays where it is, and is tried again.
	put(t, filepath.Join(dir, "a", "QB_B_X_20260102000000.txt"), "again\n")
	k.err = errors.New("the program ends")
	scan(0)
	scan(4 * time.Second)
	k.err = nil
	scan(4 * time.Second)
	if len(k.names) != 5 { // twice in vain: it is older than a file that is still written
		t.Errorf("taken %q", k.names)
	}
	if _, err := os.Stat(filepath.Join(dir, "done/a/QB_B_X_20260102000000.txt.1")); err != nil {
		t.Errorf("a second file of the name: %v", err)
	}

	// What holds nothing good is set aside as bad.
	k.end = ingest.Outcome{DeadLetters: make([]ingest.DeadLetter, 1)}
	put(t, filepath.Join(dir, "report.txt"), "x\n")
	scan(0)
	scan(4 * time.Second)
	if _, err := os.Stat(filepath.Join(dir, "bad/report.txt")); err != nil {
		t.Error(err)
	}
	if _, err := New(Options{Dir: filepath.Join(dir, "nowhere")}); err == nil {
		t.Error("a folder that is not there is watched")
	}
}

// Sixty days dropped in at once: all are taken, each once, many at a time.
func TestManyFilesShareTheWay(t *testing.T) {
	dir := t.TempDir()
	const n = 3000
	for i := range n {
		put(t, filepath.Join(dir, fmt.Sprintf("%02d", i%7), fmt.Sprintf("QB_A_X_%014d.txt", i)), "x\n")
	}
	var mu sync.Mutex
	taken, together, most := map[string]int{}, 0, 0
	f, err := New(Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Take: func(_ context.Context, in ingest.Input) (ingest.Outcome, error) {
		mu.Lock()
		taken[in.Topic]++
		together++
		most = max(most, together)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		together--
		mu.Unlock()
		return ingest.Outcome{Stored: 1}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Scan(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for name, times := range taken {
		if times != 1 {
			t.Errorf("%s was taken %d times", name, times)
		}
	}
	if len(taken) != n || most < 8 || most > atOnce {
		t.Errorf("%d files were taken, %d at once", len(taken), most)
	}
	left := 0
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, _ error) error {
		if !e.IsDir() && !strings.Contains(path, "/done/") {
			left++
		}
		return nil
	})
	if left > 0 || len(f.seen) > 0 {
		t.Errorf("%d files are left, %d remembered", left, len(f.seen))
	}
}
