package deadletters

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"haidang/devices"
	"haidang/devices/statedb"
	"haidang/ingest"
)

var t0 = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t *testing.T, s *Store, ls ...ingest.DeadLetter) {
	t.Helper()
	for i := range ls {
		ls[i].Status = "new"
		ls[i].Size = len(ls[i].Payload)
	}
	if err := s.Add(t.Context(), ls); err != nil {
		t.Fatal(err)
	}
}

func ids(t *testing.T, s *Store, f Filter) (got []int64) {
	t.Helper()
	ls, _, err := s.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		got = append(got, l.ID)
	}
	return got
}

func TestDiscardCanBeUndone(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dead.db"))
	add(t, s, ingest.DeadLetter{Code: "a"}, ingest.DeadLetter{Code: "b"}, ingest.DeadLetter{Code: "a"})
	if err := s.MarkReplayed(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for step, want := range []int64{1, 0} { // the one that is new
		if n, err := s.Discard(t.Context(), Filter{Code: "a"}, t0); n != want || err != nil {
			t.Errorf("discard %d: %d, %v", step, n, err)
		}
	}
	if n, err := s.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("%d are new, %v", n, err)
	}
	if n, err := s.Restore(t.Context(), Filter{}); n != 1 || err != nil {
		t.Errorf("restored %d, %v", n, err)
	}
	if got := fmt.Sprint(ids(t, s, Filter{Status: "new"})); got != "[3 2]" {
		t.Errorf("new are %s", got)
	}
	// What was discarded before, on purpose, stays so when a later discard is undone.
	for i, code := range []string{"a", "b"} {
		if n, err := s.Discard(t.Context(), Filter{Code: code}, t0.Add(time.Duration(i)*time.Second)); n != 1 || err != nil {
			t.Fatalf("discard %s: %d, %v", code, n, err)
		}
	}
	if n, err := s.Restore(t.Context(), Filter{DiscardedAt: t0.Add(time.Second)}); n != 1 || err != nil {
		t.Errorf("undo restored %d, %v", n, err)
	}
	if l, err := s.Get(t.Context(), 3); err != nil || l.Status != "discarded" || !l.DiscardedAt.Equal(t0) {
		t.Errorf("the one discarded first is %s, %s, %v", l.Status, l.DiscardedAt, err)
	}
	if l, err := s.Get(t.Context(), 2); err != nil || l.Status != "new" || !l.DiscardedAt.IsZero() {
		t.Errorf("the one restored is %s, %s, %v", l.Status, l.DiscardedAt, err)
	}
}

// A status that an act is not about changes nothing: neither those nor the
// others were meant.
func TestActsRefuseAnotherStatus(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dead.db"))
	add(t, s, ingest.DeadLetter{Code: "a"}, ingest.DeadLetter{Code: "b"})
	if _, err := s.Discard(t.Context(), Filter{Code: "b"}, t0); err != nil {
		t.Fatal(err)
	}
	for act, do := range map[string]func() error{
		"replay":  func() error { _, err := s.Replay(t.Context(), Filter{Status: "discarded"}, nil, nil); return err },
		"discard": func() error { _, err := s.Discard(t.Context(), Filter{Status: "replayed"}, t0); return err },
		"restore": func() error { _, err := s.Restore(t.Context(), Filter{Status: "new"}); return err },
	} {
		if fe, is := errors.AsType[*devices.FieldError](do()); !is || fe.Field != "status" {
			t.Errorf("%s: %v", act, fe)
		}
	}
	if got := fmt.Sprint(ids(t, s, Filter{Status: "new"}), ids(t, s, Filter{Status: "discarded"})); got != "[1] [2]" {
		t.Errorf("new and discarded are %s", got)
	}
}

// A file of an earlier build keeps its letters, their bytes and their numbers.
func TestEarlierFileIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.db")
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range []string{"00001_dead_letter.sql", "00002_format.sql", "00003_sender.sql"} {
		b, err := migrations.ReadFile("migrations/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	if err := statedb.Migrate(t.Context(), db, files, "dead_letter_version"); err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat([]byte("\x00\xff"), HeadBytes)
	for _, payload := range [][]byte{long, {}, []byte("Đ"), []byte("goes")} {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO dead_letter(received_at,source,sender,topic,format,version,device,stage,code,message,payload,size,status)
			VALUES(1,'mqtt','gw','t','f','v','d','decode','c','m',?,?,'discarded')`, payload, len(payload)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), `DELETE FROM dead_letter WHERE id = 4`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s := open(t, path)
	for i, want := range [][]byte{long, {}, []byte("Đ")} {
		l, err := s.Get(t.Context(), int64(i+1))
		if err != nil || !bytes.Equal(l.Payload, want) || l.Kept != len(want) || l.Size != len(want) {
			t.Errorf("letter %d has %d bytes, kept %d, size %d, %v", i+1, len(l.Payload), l.Kept, l.Size, err)
		}
		l.Payload, l.ReceivedAt = nil, time.Time{}
		if got, want := fmt.Sprint(l), fmt.Sprint(ingest.DeadLetter{ID: int64(i + 1), Source: "mqtt", Sender: "gw", Topic: "t", Format: "f", Version: "v", Device: "d", Stage: "decode", Code: "c", Message: "m", Kept: l.Kept, Size: l.Size, Status: "discarded"}); got != want {
			t.Errorf("letter %d is %s, want %s", i+1, got, want)
		}
	}
	add(t, s, ingest.DeadLetter{})
	if got := fmt.Sprint(ids(t, s, Filter{})); got != "[5 3 2 1]" {
		t.Errorf("with one more there are %s: a number was given twice", got)
	}
}

// What is beyond the bounds goes, the oldest first, and is counted, also over a
// restart.
func TestOldestGoWhenThereIsNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.db")
	s := open(t, path)
	s.keep, s.keepBytes, s.atOnce = 10, 1000, 3
	for i := range 12 {
		add(t, s, ingest.DeadLetter{Code: fmt.Sprint(i), Payload: make([]byte, 50)})
	}
	if got := ids(t, s, Filter{}); len(got) != 9 || got[8] != 4 || s.Dropped() != 3 {
		t.Errorf("left are %v, %d went", got, s.Dropped())
	}
	add(t, s, ingest.DeadLetter{Payload: make([]byte, 800)}) // by bytes: 9×50+800
	if got := ids(t, s, Filter{}); len(got) != 4 || got[3] != 10 || s.Dropped() != 9 {
		t.Errorf("left are %v, %d went", got, s.Dropped())
	}
	s.Close()
	s = open(t, path)
	s.keep, s.keepBytes, s.atOnce = 10, 1000, 1
	add(t, s, ingest.DeadLetter{Payload: make([]byte, 100)})
	if got := ids(t, s, Filter{}); len(got) != 4 || s.Dropped() != 1 {
		t.Errorf("after a restart left are %v, %d went", got, s.Dropped())
	}
}
