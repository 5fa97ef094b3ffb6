package audit_test

import (
	"encoding/hex"
	"errors"
	"os"
	"testing"

	"haidang/devices/audit"
)

func TestHeadProvesThatTheEndIsThere(t *testing.T) {
	db, l := open(t)
	path := audit.HeadPath(t.TempDir())
	if h, err := audit.ReadHead(path); err != nil || h.Seq != 0 {
		t.Fatalf("without a file: %+v, %v", h, err)
	}
	fill(t, l)
	noted, err := l.NoteHead(t.Context(), path)
	if err != nil || noted.Seq != 4 {
		t.Fatalf("%+v, %v", noted, err)
	}
	if h, err := audit.ReadHead(path); err != nil || h != noted {
		t.Errorf("read %+v, %v, noted %+v", h, err, noted)
	}
	// Two rows cut off, and one written behind what is left: the chain is whole.
	tamper(t, db, "DELETE FROM audit WHERE seq > 2")
	if err := l.Record(t.Context(), audit.Entry{Who: "x", Action: "x.y"}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	_, err = l.NoteHead(t.Context(), path)
	if b, ok := errors.AsType[*audit.Broken](err); !ok || !b.Missing || b.Seq != 4 {
		t.Errorf("a cut end: %v", err)
	}
	hash, _ := hex.DecodeString(noted.Hash)
	if _, err := l.Verify(t.Context(), noted.Seq, hash); err == nil {
		t.Error("a cut end is verified")
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the proof was written over")
	}
	if err := l.Record(t.Context(), audit.Entry{Who: "x", Action: "x.y"}); err != nil {
		t.Fatal(err)
	}
	_, err = l.NoteHead(t.Context(), path)
	if b, ok := errors.AsType[*audit.Broken](err); !ok || b.Missing || b.Seq != 4 {
		t.Errorf("another entry in its place: %v", err)
	}
	if err := os.WriteFile(path, []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.NoteHead(t.Context(), path); err == nil {
		t.Error("a broken file is written over")
	}
}
