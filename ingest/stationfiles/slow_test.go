package stationfiles

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"haidang/ingest"
)

const name = "QB_NM1_KHI001_20260101120500.txt"

// watch is a folder with a clock of its own.
type watch struct {
	t   *testing.T
	dir string
	k   *taker
	f   *Folder
	now time.Time
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	w := &watch{t: t, dir: t.TempDir(), k: &taker{end: ingest.Outcome{Stored: 1}}, now: time.Now()}
	w.open()
	return w
}

func (w *watch) open() {
	w.t.Helper()
	var err error
	if w.f, err = New(Options{Dir: w.dir, Take: w.k.take, Refuse: w.k.refuse, Log: slog.New(slog.DiscardHandler)}); err != nil {
		w.t.Fatal(err)
	}
}

// pass looks through the folder every 5 s for some time.
func (w *watch) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(5 * time.Second)
		if err := w.f.Scan(w.t.Context(), w.now); err != nil {
			w.t.Fatal(err)
		}
	}
}

// write writes on in a file that is open, at the clock's time.
func (w *watch) write(o *os.File, text string) {
	w.t.Helper()
	if _, err := o.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
	// Through the handle's own name: the file may have been moved.
	at, err := os.Readlink("/proc/self/fd/" + itoa(o.Fd()))
	if err != nil {
		w.t.Skip("this test finds moved files by /proc")
	}
	if err := os.Chtimes(at, w.now, w.now); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watch) create(rel string) *os.File {
	w.t.Helper()
	path := filepath.Join(w.dir, rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.t.Fatal(err)
	}
	o, err := os.Create(path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { o.Close() })
	return o
}

func (w *watch) taken(want ...string) {
	w.t.Helper()
	if !slices.Equal(w.k.texts, want) {
		w.t.Errorf("taken %q, want %q", w.k.texts, want)
	}
}

func (w *watch) lies(rel string) {
	w.t.Helper()
	if _, err := os.Lstat(filepath.Join(w.dir, rel)); err != nil {
		w.t.Error(err)
	}
}

// A slow link: three and a half rows, nothing for a while, the rest.
func TestSlowUploadIsWaitedFor(t *testing.T) {
	w := newWatch(t)
	o := w.create(name)
	w.write(o, "1\n2\n3\n4")
	w.pass(90 * time.Second)
	w.taken()
	w.write(o, "4\n5\n")
	w.pass(DefaultRest + 5*time.Second)
	w.taken("1\n2\n3\n44\n5\n")
	w.lies("done/" + name)
}

// Logger that ends no line waits longer, not for ever.
func TestFileWithoutAnEndIsTakenAtLast(t *testing.T) {
	w := newWatch(t)
	w.write(w.create(name), "1\n2")
	w.pass(110 * time.Second)
	w.taken()
	w.pass(20 * time.Second)
	w.taken("1\n2")
}

// A file is created first, and filled later.
func TestEmptyFileIsWaitedFor(t *testing.T) {
	w := newWatch(t)
	o := w.create(name)
	w.write(o, "")
	w.pass(60 * time.Second)
	w.taken()
	w.write(o, "1\n")
	w.pass(30 * time.Second)
	w.taken("1\n")
}

// A pause longer than any patience, at the end of a line: the writer's file is in
// done by then, and what it writes there is taken all the same.
func TestWhatIsWrittenToAFileSetAsideIsTaken(t *testing.T) {
	w := newWatch(t)
	o := w.create("a/" + name)
	w.write(o, "1\n2\n")
	w.pass(10 * time.Minute)
	w.taken("1\n2\n")
	w.lies("done/a/" + name)
	w.write(o, "3\n4")
	w.pass(2 * time.Minute) // its end is missing still
	w.taken("1\n2\n")
	w.write(o, "\n")
	w.pass(4 * time.Minute)
	w.taken("1\n2\n", "1\n2\n3\n4\n")
	w.lies("done/a/" + name)
	if w.k.names[1] != "a/"+name {
		t.Errorf("taken again as %s", w.k.names[1])
	}
	w.pass(2 * time.Hour)
	w.taken("1\n2\n", "1\n2\n3\n4\n")
	if len(w.f.aside) > 0 {
		t.Errorf("%d files are remembered for ever", len(w.f.aside))
	}
}

// What was bad moves to done once it holds something good.
func TestFileInBadIsTakenAgain(t *testing.T) {
	w := newWatch(t)
	w.k.end = ingest.Outcome{DeadLetters: make([]ingest.DeadLetter, 1)}
	o := w.create(name)
	w.write(o, "")
	w.pass(3 * time.Minute)
	w.taken("")
	w.lies("bad/" + name)
	w.k.end = ingest.Outcome{Stored: 1}
	w.write(o, "1\n")
	w.pass(4 * time.Minute)
	w.taken("", "1\n")
	w.lies("done/" + name)
}

// The program ends between the two halves of an upload.
func TestWhatIsWrittenWhileTheProgramIsDownIsTaken(t *testing.T) {
	w := newWatch(t)
	put(t, filepath.Join(w.dir, "done", "old", name), "old\n")
	os.Chtimes(filepath.Join(w.dir, "done", "old", name), w.now.Add(-24*time.Hour), w.now.Add(-24*time.Hour))
	o := w.create("a/" + name)
	w.write(o, "1\n")
	w.pass(time.Minute)
	w.taken("1\n")
	w.write(o, "2\n")
	w.open()
	w.f.recall(w.now)
	w.pass(4 * time.Minute)
	w.taken("1\n", "1\n2\n")
	w.lies("done/a/" + name)
}
