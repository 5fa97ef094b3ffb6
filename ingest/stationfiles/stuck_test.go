package stationfiles

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/ingest"
)

func itoa(fd uintptr) string { return fmt.Sprint(fd) }

func (k *taker) refuse(_ context.Context, in ingest.Input, size int64, r *ingest.Refusal) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.names, k.texts = append(k.names, in.Topic), append(k.texts, fmt.Sprintf("%d of %d: %s: %s", len(in.Payload), size, r.Code, r.Message))
	return nil
}

// block makes it impossible to move dir/rel aside, whoever runs the test: a file
// lies where a folder is wanted.
func (w *watch) block(folder string) (undo func()) {
	path := filepath.Join(w.dir, done, folder)
	put(w.t, path, "in the way")
	return func() { os.Remove(path) }
}

func TestFileThatCannotBeMovedHoldsUpNoOther(t *testing.T) {
	w := newWatch(t)
	var log bytes.Buffer
	w.f.o.Log = slog.New(slog.NewTextHandler(&log, nil))
	unblock := w.block("a")
	stays, other := w.create("a/"+name), w.create("b/QB_NM1_KHI002_20260101120500.txt")
	w.write(stays, "1\n")
	w.write(other, "other\n")
	w.pass(10 * time.Minute)
	w.taken("1\n", "other\n")
	w.lies("a/" + name)
	w.lies("done/b/QB_NM1_KHI002_20260101120500.txt")
	if n := strings.Count(log.String(), "cannot be moved"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
	if ps := w.f.Problems(); len(ps) != 1 || ps[0].Code != ingest.ProblemNotMoved || ps[0].Files != 1 || ps[0].File != "a/"+name || ps[0].Cause != "not a directory" ||
		ps[0].String() != "files that were taken but cannot be moved aside: 1; not a directory" {
		t.Errorf("the problem is %+v", ps)
	}
	// What is written to it is taken, and it goes once it can.
	w.write(stays, "2\n")
	w.pass(time.Minute)
	w.taken("1\n", "other\n", "1\n2\n")
	unblock()
	w.pass(2 * time.Minute)
	w.taken("1\n", "other\n", "1\n2\n")
	w.lies("done/a/" + name)
	if ps := w.f.Problems(); len(ps) > 0 {
		t.Errorf("there still is %+v", ps)
	}
	// One that somebody took away is no problem any more.
	w.block("c")
	w.write(w.create("c/"+name), "3\n")
	w.pass(time.Minute)
	os.RemoveAll(filepath.Join(w.dir, "c"))
	if w.pass(10 * time.Minute); len(w.f.Problems()) > 0 {
		t.Errorf("there still is %+v", w.f.Problems())
	}
}

func TestFileThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	w := newWatch(t)
	w.write(w.create("a/"+name), "1\n")
	os.Chmod(filepath.Join(w.dir, "a", name), 0)
	w.write(w.create("b/"+name), "2\n")
	w.pass(time.Minute)
	w.taken("2\n")
	if ps := w.f.Problems(); len(ps) != 1 || ps[0].Code != ingest.ProblemNotRead || ps[0].Cause != "permission denied" {
		t.Errorf("the problem is %+v", ps)
	}
	os.Chmod(filepath.Join(w.dir, "a", name), 0o600)
	w.pass(2 * time.Minute)
	w.taken("2\n", "1\n")
}

// What is too large is set aside, and told with its beginning and its place.
func TestFileThatIsTooLargeIsToldOnce(t *testing.T) {
	w := newWatch(t)
	put(t, filepath.Join(w.dir, "bad", "a", name), "an earlier one")
	o := w.create("a/" + name)
	w.write(o, strings.Repeat("1\n", ingest.MaxForeign/2+1))
	w.pass(10 * time.Minute)
	w.taken(fmt.Sprintf("%d of %d: payload_too_large: the file has 8388610 bytes; at most 8388608 are taken; it is bad/a/%s.1 in the source's folder", maxExcerpt, ingest.MaxForeign+2, name))
	w.lies("bad/a/" + name + ".1")
}

// The folder itself may go, a disk that is not mounted, and come again.
func TestFolderThatIsGoneIsTold(t *testing.T) {
	w := newWatch(t)
	os.Rename(w.dir, w.dir+"-gone")
	w.pass(time.Minute)
	if ps := w.f.Problems(); len(ps) != 1 || ps[0].Code != ingest.ProblemNotRead || ps[0].File != "." || ps[0].Cause != "no such file or directory" {
		t.Errorf("the problem is %+v", ps)
	}
	os.Rename(w.dir+"-gone", w.dir)
	w.write(w.create(name), "1\n")
	w.pass(time.Minute)
	w.taken("1\n")
	if ps := w.f.Problems(); len(ps) > 0 {
		t.Errorf("there still is %+v", ps)
	}
}
